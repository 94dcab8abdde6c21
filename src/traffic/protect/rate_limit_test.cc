#include "traffic/protect/rate_limit.h"

#include <gtest/gtest.h>

#include "config/units.h"
#include "io/address.h"

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;
using enum config::RateKeyKind;

constexpr io::Instant start{std::chrono::hours(1000)};

AddressBytes address(const char* text) {
  return io::SocketAddress::numeric(text, 0)->bytes();
}

// One request in ten seconds, whatever else is set.
RateLimit limit_of(config::RateLimit settings) {
  settings.requests = 1;
  settings.per = 10s;
  settings.burst = 1;
  return {.share = std::make_shared<RateShare>(RateShare::Place{"web", "", "limit-1"}, settings, 1),
          .settings = settings,
          .except = NetworkSet(settings.except)};
}

TEST(RateLimit, CountsByItsKey) {
  const RateLimit limit = limit_of({});
  RateCell cell;
  const auto refused = [&](const RateKeyValue& key, const char* source) {
    return ask(limit, cell, key, address(source), start).refused;
  };
  EXPECT_FALSE(refused({}, "192.0.2.1"));
  EXPECT_TRUE(refused({}, "192.0.2.1"));
  EXPECT_FALSE(refused({}, "192.0.2.2"));
  EXPECT_FALSE(refused({Header, "a"}, "192.0.2.1")) << "by the header, whoever sends it";
  EXPECT_TRUE(refused({Header, "a"}, "192.0.2.9"));
  EXPECT_FALSE(refused({Header, "b"}, "192.0.2.1"));
  EXPECT_FALSE(refused({All, ""}, "192.0.2.1"));
  EXPECT_TRUE(refused({All, ""}, "192.0.2.2"));
  // A value with the bytes of an address.
  const AddressBytes bytes = address("192.0.2.2");
  EXPECT_FALSE(refused({Header, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}}, "192.0.2.1"));
  EXPECT_EQ(cell.admitted.get(), 6U);
  EXPECT_EQ(cell.limited.get(), 3U);
}

TEST(RateLimit, OneCustomerOfIpv6IsOneSource) {
  const RateLimit limit = limit_of({});
  RateCell cell;
  EXPECT_FALSE(ask(limit, cell, {}, address("2001:db8:0:1::1"), start).refused);
  EXPECT_TRUE(ask(limit, cell, {}, address("2001:db8:0:1:ffff::1"), start).refused);
  EXPECT_FALSE(ask(limit, cell, {}, address("2001:db8:0:2::1"), start).refused);
  const RateLimit wide = limit_of({.ipv6_prefix = 48});
  EXPECT_FALSE(ask(wide, cell, {}, address("2001:db8:0:1::1"), start).refused);
  EXPECT_TRUE(ask(wide, cell, {}, address("2001:db8:0:2::1"), start).refused);
}

TEST(RateLimit, SomeHaveNoLimit) {
  const RateLimit limit = limit_of({.except = {*config::parse_network("10.0.0.0/8")}});
  RateCell cell;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(ask(limit, cell, {}, address("10.9.8.7"), start).refused);
  EXPECT_EQ(cell.admitted.get(), 0U);
  EXPECT_FALSE(ask(limit, cell, {}, address("11.0.0.1"), start).refused);
  EXPECT_TRUE(ask(limit, cell, {}, address("11.0.0.1"), start).refused);
}

TEST(RateLimit, ReportsWithoutRefusing) {
  const RateLimit limit = limit_of({.mode = config::RateMode::Report});
  RateCell cell;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(ask(limit, cell, {}, address("192.0.2.1"), start).refused);
  EXPECT_EQ(cell.admitted.get(), 1U);
  EXPECT_EQ(cell.reported.get(), 4U);
  EXPECT_EQ(cell.limited.get(), 0U);
}

TEST(RateLimit, TellsWholeSeconds) {
  struct Case {
    io::Duration wait;
    int seconds;
  };
  const Case cases[] = {{1ns, 1}, {999ms, 1}, {1s, 1}, {1s + 1ns, 2}, {59s + 1ms, 60}};
  for (const Case& each : cases) EXPECT_EQ(retry_after_seconds(each.wait), each.seconds);
}

TEST(RateShare, HoldsForTheSameLimitAlone) {
  const config::RateLimit settings{.requests = 10, .burst = 20};
  const RateShare share({"web", "", "limit-1"}, settings, 1);
  const auto with = [&](auto change) {
    config::RateLimit next = settings;
    change(next);
    return share.holds_for(next);
  };
  EXPECT_TRUE(with([](config::RateLimit& next) {
    next.mode = config::RateMode::Report;
    next.status = 503;
    next.except = {*config::parse_network("10.0.0.0/8")};
  }));
  EXPECT_FALSE(with([](config::RateLimit& next) { next.requests = 11; }));
  EXPECT_FALSE(with([](config::RateLimit& next) { next.per = 2s; }));
  EXPECT_FALSE(with([](config::RateLimit& next) { next.burst = 21; }));
  EXPECT_FALSE(with([](config::RateLimit& next) { next.key = {config::RateKeyKind::Path, ""}; }));
  EXPECT_FALSE(with([](config::RateLimit& next) { next.ipv6_prefix = 56; }));
  EXPECT_FALSE(with([](config::RateLimit& next) { next.keys = 2048; }));
}

}  // namespace
}  // namespace ballast::traffic

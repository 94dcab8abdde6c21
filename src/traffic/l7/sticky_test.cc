#include "traffic/l7/sticky.h"

#include <array>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "traffic/balance/balancer.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

const std::string t1(32, '1');
const std::string t2(32, '2');
const std::string drained(32, 'd');

struct Request {
  explicit Request(const std::string& lines) : text("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n") {
    EXPECT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete) << text;
  }
  std::string text;
  http::RequestHead head;
};

struct Response {
  explicit Response(const std::string& lines) : text("HTTP/1.1 200 OK\r\n" + lines + "Content-Length: 0\r\n\r\n") {
    EXPECT_EQ(http::ResponseParser::parse(text, {}, {}, head).progress, http::Progress::Complete) << text;
  }
  std::string text;
  http::ResponseHead head;
};

config::Sticky by_application(const std::string& name) {
  return {.by = {config::StickyKind::ApplicationCookie, name}};
}

TEST(Sticky, TheCookieNamesATarget) {
  const StickyTargets targets({{t1, 4}, {t2, 7}, {drained, std::nullopt}});
  const struct {
    std::string cookies;
    std::string token;  // empty: none of ours
  } rows[] = {
      {"", ""},
      {"BALLAST=" + t1, t1},
      {"a=b; BALLAST=" + t2 + "; c=d", t2},
      {"BALLAST=\"" + t2 + "\"", t2},
      {"BALLAST=" + drained, drained},
      // Forged, foreign, cut and oversized.
      {"BALLAST=" + std::string(32, '3'), ""},
      {"BALLAST=" + t1.substr(1), ""},
      {"BALLAST=" + t1 + "1", ""},
      {"BALLAST=" + t1 + std::string(10'000, '1'), ""},
      {"BALLAST=", ""},
      {"BALLAST=10.0.0.1:80", ""},
      {"ballast=" + t1, ""},
      {"XBALLAST=" + t1, ""},
      {"BALLAST" + t1, ""},
      // Several: the first that can take the request, or else one that is known.
      {"BALLAST=gone; BALLAST=" + t2, t2},
      {"BALLAST=" + t1 + "; BALLAST=" + t2, t1},
      {"BALLAST=" + drained + "; BALLAST=" + t2, t2},
      {"BALLAST=" + drained + "; BALLAST=gone", drained},
      {"BALLAST=gone\r\nCookie: BALLAST=" + t2, t2},
      {"BALLAST=1; BALLAST=2; BALLAST=3; BALLAST=4; BALLAST=5; BALLAST=6; BALLAST=7; BALLAST=" + t1, t1},
      {"BALLAST=1; BALLAST=2; BALLAST=3; BALLAST=4; BALLAST=5; BALLAST=6; BALLAST=7; BALLAST=8; BALLAST=" + t1, ""},
  };
  for (const auto& row : rows) {
    const Request request(row.cookies.empty() ? "" : "Cookie: " + row.cookies + "\r\n");
    const StickyTargets::Each* claim = sticky_claim(request.head, {}, targets);
    EXPECT_EQ(claim != nullptr ? claim->token : "", row.token) << row.cookies;
    EXPECT_EQ(sticky_claim(request.head, {}, StickyTargets()), nullptr);
  }
}

TEST(Sticky, BesideAnApplicationsCookieOnly) {
  const StickyTargets targets({{t1, 4}});
  const config::Sticky sticky = by_application("SESSION");
  EXPECT_EQ(sticky_claim(Request("Cookie: BALLAST=" + t1 + "\r\n").head, sticky, targets), nullptr);
  EXPECT_NE(sticky_claim(Request("Cookie: SESSION=x; BALLAST=" + t1 + "\r\n").head, sticky, targets), nullptr);
  EXPECT_EQ(sticky_claim(Request("Cookie: SESSION=x\r\n").head, sticky, targets), nullptr);
}

TEST(Sticky, OursLastsAsLongAsTheApplications) {
  const struct {
    std::string lines;
    std::string lifetime;  // "none": it is not set
  } rows[] = {
      {"", "none"},
      {"Set-Cookie: other=1; Max-Age=5\r\n", "none"},
      {"Set-Cookie: SESSIONS=1\r\n", "none"},
      {"Set-Cookie: session=1\r\n", "none"},
      {"Set-Cookie: other=SESSION=1\r\n", "none"},
      {"Set-Cookie: SESSION\r\n", "none"},
      {"Set-Cookie: SESSION=1\r\n", ""},
      {"Set-Cookie: SESSION=1; Path=/; HttpOnly\r\n", ""},
      {"Set-Cookie: SESSION=1; Path=/; Max-Age=60; HttpOnly\r\n", "; Max-Age=60"},
      {"set-cookie: SESSION=1;max-age=60\r\n", "; max-age=60"},
      {"Set-Cookie: other=1\r\nSet-Cookie: SESSION=1; Max-Age=60\r\n", "; Max-Age=60"},
      {"Set-Cookie: SESSION=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n",
       "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"},
      {"Set-Cookie: SESSION=1; Max-Age=60\r\nSet-Cookie: SESSION=2\r\n", ""},
      {"Set-Cookie: SESSION=1; Expires=" + std::string(100, 'x') + "\r\n", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(lifetime_set(Response(row.lines).head.fields, "SESSION").value_or("none"), row.lifetime) << row.lines;
  }
}

TEST(Sticky, TheCookieIsWrittenAsTheSettingsSay) {
  using config::SameSite;
  std::string out = "of the request before";
  write_sticky_cookie(out, {}, {.token = "t"});
  EXPECT_EQ(out, "BALLAST=t; Path=/; HttpOnly; SameSite=Lax");
  write_sticky_cookie(out, {.name = "__Host-s", .same_site = SameSite::None},
                      {.token = "t", .lifetime = "; Max-Age=60", .secure = true});
  EXPECT_EQ(out, "__Host-s=t; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=None");
  write_sticky_cookie(out, {.path = "/shop", .same_site = SameSite::Strict}, {.token = "t"});
  EXPECT_EQ(out, "BALLAST=t; Path=/shop; HttpOnly; SameSite=Strict");
}

TEST(Sticky, IsHashedBySourceOrHeader) {
  const config::Sticky by_source{.by = {config::StickyKind::Source, ""}};
  const config::Sticky by_header{.by = {config::StickyKind::Header, "X-User"}};
  const auto v4 = [](std::uint8_t last) {
    return std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
  };
  const auto v6 = [](std::uint8_t network, std::uint8_t host) {
    return std::array<std::uint8_t, 16>{0x20, 1, 0xd, 0xb8, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host};
  };
  const Request plain("");
  const auto of = [&](const std::array<std::uint8_t, 16>& source) {
    return sticky_hash(plain.head, source, by_source);
  };
  EXPECT_EQ(of(v4(1)), of(v4(1)));
  EXPECT_NE(of(v4(1)), of(v4(2)));
  EXPECT_EQ(of(v6(1, 1)), of(v6(1, 2))) << "of one /64";
  EXPECT_NE(of(v6(1, 1)), of(v6(2, 1)));

  const auto named = [&](const std::string& lines) { return sticky_hash(Request(lines).head, v4(1), by_header); };
  EXPECT_EQ(named("X-User: ann\r\n"), named("x-user: ann\r\n"));
  EXPECT_NE(named("X-User: ann\r\n"), named("X-User: bob\r\n"));
  EXPECT_EQ(named(""), std::nullopt) << "balanced by the algorithm";
  EXPECT_EQ(named("X-User: \r\n"), std::nullopt);
  EXPECT_EQ(sticky_hash(plain.head, v4(1), {}), std::nullopt);
}

// What GroupKeeper makes of the targets for it: a target that goes takes its own clients along and no others.
TEST(Sticky, AChangeMovesOnlyWhatItMust) {
  std::vector<Candidate> candidates;
  for (std::uint32_t slot = 0; slot < 10; ++slot) {
    candidates.push_back({.slot = slot, .weight = 1, .identity = identity_of("10.0.0." + std::to_string(slot))});
  }
  const Balancer all(config::Algorithm::SourceHash, candidates);
  candidates.erase(candidates.begin() + 3);
  const Balancer fewer(config::Algorithm::SourceHash, candidates);
  BalancerState state(1);
  const auto loads = [](std::uint32_t) { return Load{}; };
  std::map<std::uint32_t, int> clients;
  for (int client = 0; client < 10'000; ++client) {
    const std::uint64_t key = key_of(std::to_string(client));
    const std::uint32_t before = *Picker(all, key).next(state, loads);
    const std::uint32_t after = *Picker(fewer, key).next(state, loads);
    ++clients[before];
    if (before != 3) EXPECT_EQ(after, before);
  }
  for (const auto& [slot, count] : clients) EXPECT_NEAR(count, 1'000, 150) << slot;
}

}  // namespace
}  // namespace ballast::traffic

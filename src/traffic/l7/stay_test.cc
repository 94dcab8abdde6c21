#include "traffic/l7/stay.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "traffic/route/route.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

// Keeps the bytes that the head views.
struct Head {
  explicit Head(const std::string& fields) : bytes("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n") {
    EXPECT_EQ(http::RequestParser::parse(bytes, {}, head).progress, http::Progress::Complete) << fields;
  }
  std::string bytes;
  http::RequestHead head;
};

std::optional<std::uint64_t> place(const std::string& fields, config::StayBy by, std::uint8_t last = 1) {
  const Head head(fields);
  std::array<std::uint8_t, 16> source{0xfd, 0, 0, 0, 0, 0, 0, 7};
  source[15] = last;
  return stay_place(head.head, source, by);
}

const config::StayBy own{config::StayKind::OwnCookie, ""};

TEST(Stay, ReadsItsOwnCookieAndNothingElse) {
  EXPECT_EQ(place("Cookie: a=1; BALLAST_GROUP=0cccd\r\n", own), std::uint64_t{0xcccd} << 44);
  EXPECT_EQ(place("Cookie: BALLAST_GROUP=fffff\r\n", own), std::uint64_t{0xfffff} << 44);
  EXPECT_EQ(place("Cookie: BALLAST_GROUP=x\r\nCookie: BALLAST_GROUP=00001\r\n", own), std::uint64_t{1} << 44);
  for (const char* forged :
       {"", "0", "0000", "000000", "0000g", "0CCCC", "-0001", "0x001", " 1234567890", "0000\xff"}) {
    EXPECT_EQ(place(fmt::format("Cookie: BALLAST_GROUP={}\r\n", forged), own), std::nullopt) << forged;
  }
  EXPECT_EQ(place("Cookie: ballast_group=00001\r\n", own), std::nullopt);
  EXPECT_EQ(place("", own), std::nullopt);
  std::string many = "Cookie: a=1";
  for (int i = 0; i < 8; ++i) many += "; BALLAST_GROUP=";
  EXPECT_EQ(place(many + "; BALLAST_GROUP=00001\r\n", own), std::nullopt) << "no browser holds so many";
}

TEST(Stay, HashesWhatItIsTold) {
  const config::StayBy header{config::StayKind::Header, "X-User"};
  EXPECT_EQ(place("X-User: ann\r\n", header), place("x-user: ann\r\nX-Other: 1\r\n", header));
  EXPECT_NE(place("X-User: ann\r\n", header), place("X-User: ben\r\n", header));
  EXPECT_EQ(place("X-User:\r\n", header), std::nullopt);
  const config::StayBy cookie{config::StayKind::Cookie, "s"};
  EXPECT_EQ(place("Cookie: s=ann\r\n", cookie), place("Cookie: b=1; s=\"ann\"\r\n", cookie));
  EXPECT_EQ(place("Cookie: s=\r\n", cookie), std::nullopt);
  EXPECT_EQ(place("Cookie: S=ann\r\n", cookie), std::nullopt);
  const config::StayBy source{config::StayKind::Source, ""};
  EXPECT_EQ(place("", source, 1), place("X: 1\r\n", source, 2)) << "of one customer";
}

TEST(Stay, TheCookieIsReadBackAsItWasDrawn) {
  for (const std::uint64_t random : {std::uint64_t{0}, std::uint64_t{0x123456789abcdef0}, ~std::uint64_t{0}}) {
    const StayDrawn drawn(random);
    std::string text = "left over";
    write_stay_cookie(text, drawn, StaySecure::No);
    EXPECT_EQ(place("Cookie: " + text.substr(0, text.find(';')) + "\r\n", own), drawn.place()) << text;
  }
  std::string text;
  write_stay_cookie(text, StayDrawn(0), StaySecure::Yes);
  EXPECT_EQ(text, "BALLAST_GROUP=00000; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax");
}

ForwardTo weights(std::uint32_t canary, std::uint32_t stable) {
  return {.choices = {{"canary", 0, canary}, {"stable", 1, stable}}, .weight_total = canary + stable};
}

TEST(Stay, MoreWeightMovesOnlyWhomItMust) {
  const ForwardTo before = weights(5, 95);
  const ForwardTo after = weights(20, 80);
  const config::StayBy header{config::StayKind::Header, "X-User"};
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> moves;
  constexpr int clients = 20'000;
  for (int i = 0; i < clients; ++i) {
    const auto at = *place(fmt::format("X-User: user-{}\r\n", i), header);
    ++moves[{before.pick(at)->group_index, after.pick(at)->group_index}];
  }
  const std::pair stayed_canary{0U, 0U};
  const std::pair back{0U, 1U};
  const std::pair came{1U, 0U};
  EXPECT_NEAR(moves[stayed_canary], clients * 0.05, clients * 0.01);
  EXPECT_EQ(moves[back], 0) << "nobody goes back to the old version";
  EXPECT_NEAR(moves[came], clients * 0.15, clients * 0.01);
  EXPECT_EQ(weights(0, 1).pick(0)->group, "stable");
  EXPECT_EQ(weights(1, 0).pick(~std::uint64_t{0})->group, "canary");
}

}  // namespace
}  // namespace ballast::traffic

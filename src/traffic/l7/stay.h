// Which of the groups of a weighted forward a client stays with: its place among them, 64 bits that are the same with
// each of its requests.
//
// By a header, a cookie of the application's or its address the place is hashed. By the balancer's own cookie it is a
// number that was drawn once, of 20 bits: a million places, which clients share, so that the number tells nobody who
// they are. It is not signed: who wants another group may as well forget his cookie, and be drawn again. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "config/settings.h"
#include "wire/http/message.h"

namespace ballast::traffic {

// None: the request does not say.
std::optional<std::uint64_t> stay_place(const http::RequestHead& head, const std::array<std::uint8_t, 16>& source,
                                        const config::StayBy& by);

// A place for who has none yet, and the cookie that keeps it.
struct StayDrawn {
  explicit StayDrawn(std::uint64_t random) : number(static_cast<std::uint32_t>(random >> 44)) {}
  std::uint32_t number;
  std::uint64_t place() const { return std::uint64_t{number} << 44; }
};
enum class StaySecure : std::uint8_t { No, Yes };
void write_stay_cookie(std::string& out, StayDrawn drawn, StaySecure secure);

}  // namespace ballast::traffic

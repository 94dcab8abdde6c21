// Part of the settings (settings.h): what a rule does to the requests of a release on their way, and what a listener
// answers while nothing is to be served.
//
// Values: immutable after loading, compared with == for the diff.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/health_check.h"
#include "config/mark.h"
#include "config/network.h"

namespace ballast::config {

struct NamedText {
  std::string name;
  std::string text;
  friend bool operator==(const NamedText&, const NamedText&) = default;
};

// A share of the requests, drawn at random.
struct Share {
  std::uint32_t hundredths = 10'000;  // of a percent; 0..10'000
  friend bool operator==(const Share&, const Share&) = default;
};

// What the target is asked for instead of the path that the client sent: a prefix taken off and another put in front,
// or an RE2 expression that the whole path matches, and its replacement.
struct Rewrite {
  std::string strip_prefix;  // "/api"; of the path's whole segments. Empty: none
  std::string prefix;        // "/v2"; empty: none
  std::string regex;         // compiled once by the loader; empty: none
  std::string to;            // "/new/\1"; with a '?' of its own it says the query, too
  Mark mark;
  friend bool operator==(const Rewrite&, const Rewrite&) = default;
};

// What the balancer's own cookie is called, that keeps a client with one of several groups.
inline constexpr std::string_view group_cookie_name = "BALLAST_GROUP";

// By what a client stays with one of several groups: a cookie of the balancer's own, one of the application's, a
// header, or its address.
enum class StayKind { OwnCookie, Cookie, Header, Source };
struct StayBy {
  StayKind kind = StayKind::OwnCookie;
  std::string name;  // of the application's cookie or the header
  friend bool operator==(const StayBy&, const StayBy&) = default;
};

// A failure that is made on purpose: requests held up, or answered with a status, or both.
struct Fault {
  Milliseconds delay{0};  // 0: none
  int status = 0;         // 0: none
  Share percent;
  Mark mark;
  friend bool operator==(const Fault&, const Fault&) = default;
};

// Copies of requests to another group, whose answers nobody sees.
struct Mirror {
  std::string group;
  Share percent;
  std::size_t body_bytes_max = std::size_t{64} << 10;  // requests with larger bodies are not copied
  Mark mark;
  friend bool operator==(const Mirror&, const Mirror&) = default;
};

// What a listener answers while it is under maintenance, which an operator says at run time.
struct Maintenance {
  std::string page;  // empty: a few words of our own
  std::string content_type = "text/html; charset=utf-8";
  Milliseconds retry_after{60'000};
  std::vector<Network> except;  // whose requests are served all the same
  Mark mark;
  friend bool operator==(const Maintenance&, const Maintenance&) = default;
};

}  // namespace ballast::config

// Stickiness of HTTP groups as far as heads go: what a request's cookie or header says, the cookie that a response
// carries, and what of both the target does not see.
//
// Pure functions. What they read is the client's and proves nothing but that this balancer, or one with the same key,
// wrote it: it chooses among targets that any request may go to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "config/settings.h"
#include "traffic/balance/sticky_targets.h"
#include "wire/http/message.h"

namespace ballast::traffic {

// The target that the request's cookie names: the first of those that take requests, or else the first that is known.
// nullptr: no cookie, or none of ours.
const StickyTargets::Each* sticky_claim(const http::RequestHead& head, const config::Sticky& sticky,
                                        const StickyTargets& targets);

// What is hashed of a request that sticks by source or header; none: it has no such header, or it sticks by cookie.
std::optional<std::uint64_t> sticky_hash(const http::RequestHead& head, const std::array<std::uint8_t, 16>& source,
                                         const config::Sticky& sticky);

// The lifetime that a response gives the cookie `name` ("; Max-Age=60", empty for a cookie of the session); none: it
// does not set it. What ends that cookie ends one of the same lifetime.
std::optional<std::string> lifetime_set(const http::Fields& response, Bytes name);

// A Set-Cookie's value.
struct StickyCookie {
  Bytes token;
  Bytes lifetime;  // as attributes
  bool secure = false;
};
void write_sticky_cookie(std::string& out, const config::Sticky& sticky, const StickyCookie& cookie);

}  // namespace ballast::traffic

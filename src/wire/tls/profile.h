// Profile: which versions and ciphers are spoken, under the names of Mozilla's server side TLS guide (version 5.7).
//
//   modern        TLS 1.3 alone
//   intermediate  TLS 1.2 and 1.3, forward secrecy and authenticated ciphers only; what nearly every client since 2014
//                 speaks
//   old           TLS 1.0 to 1.3, for devices that cannot be replaced
//
// Without the guide's DHE suites: a client can make a server work on those at no cost of its own (CVE-2002-20001), and
// clients that know nothing better are gone.
#pragma once

#include <cstdint>

struct ssl_ctx_st;

namespace ballast::tls {

enum class Profile : std::uint8_t { Modern, Intermediate, Old };

void apply(Profile profile, ssl_ctx_st* context);

}  // namespace ballast::tls

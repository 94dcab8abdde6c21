// host[:port] as Host, an absolute target and CONNECT carry it (RFC 9110 7.2, RFC 3986 3.2.2 without user information).
#pragma once

namespace ballast::http {

// How far bytes follow a grammar, and whether what was read may end there. Bytes behind `at` are for the caller to
// judge; when `whole` is false and `at` is not the end, the byte there is an offence.
struct Reading {
  const char* at = nullptr;
  bool whole = false;
};

struct AuthorityReading {
  Reading reading;
  bool has_port = false;  // digits behind the colon; "host:" is allowed and has none
};

// A registered name with well-formed percent escapes, an IPv4 address, or an IPv6 address in brackets (no zone); never
// empty. The port is at most 65535 in at most five digits.
AuthorityReading read_authority(const char* at, const char* end);

}  // namespace ballast::http

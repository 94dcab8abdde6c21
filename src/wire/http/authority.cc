#include "wire/http/authority.h"

#include "wire/http/octets.h"

namespace ballast::http {
namespace {

// Four numbers 0..255 without leading zeros, then ']'.
Reading read_ipv4_in_brackets(const char* at, const char* end) {
  for (int number = 0; number < 4; ++number) {
    int value = 0;
    int digits = 0;
    while (at < end && is_digit(*at)) {
      if (digits > 0 && value == 0) return {at, false};
      value = value * 10 + (*at - '0');
      if (value > 255) return {at, false};
      ++digits;
      ++at;
    }
    if (at == end || digits == 0) return {at, false};
    if (*at != (number < 3 ? '.' : ']')) return {at, false};
    if (number < 3) ++at;
  }
  return {at, true};
}

// From behind '[' to its ']', which is where a whole one stops.
Reading read_ipv6(const char* at, const char* end) {
  int groups = 0;
  bool gap = false;  // "::" was read
  if (at < end && *at == ':') {
    ++at;
    if (at == end || *at != ':') return {at, false};
    ++at;
    gap = true;
  }
  for (bool behind_gap = gap;;) {
    const char* group = at;
    while (at < end && at - group < 4 && is_hex_digit(*at)) ++at;
    if (at == end) return {at, false};
    if (at == group) return {at, *at == ']' && behind_gap};
    if (*at == '.') {
      if (gap ? groups > 5 : groups != 6) return {at, false};
      // That these digits are decimal is known only from the dot: an offence before it counts from the dot.
      Reading numbers = read_ipv4_in_brackets(group, end);
      if (numbers.at < at) numbers.at = at;
      return numbers;
    }
    ++groups;
    const int most = gap ? 7 : 8;
    if (groups > most) return {at, false};
    if (*at == ']') return {at, gap || groups == 8};
    if (*at != ':' || groups == most) return {at, false};
    ++at;
    behind_gap = at < end && *at == ':';
    if (behind_gap) {
      if (gap) return {at, false};
      gap = true;
      ++at;
    }
  }
}

Reading read_name(const char* at, const char* end) {
  const char* begin = at;
  for (; at < end && octet::is(*at, octet::reg_name); ++at) {
    if (*at != '%') continue;
    for (int digit = 0; digit < 2; ++digit) {
      ++at;
      if (at == end || !is_hex_digit(*at)) return {at, false};
    }
  }
  return {at, at != begin};
}

}  // namespace

AuthorityReading read_authority(const char* at, const char* end) {
  Reading host;
  if (at < end && *at == '[') {
    host = read_ipv6(at + 1, end);
    if (host.whole) ++host.at;
  } else {
    host = read_name(at, end);
  }
  if (!host.whole || host.at == end || *host.at != ':') return {host, false};

  at = host.at + 1;
  int port = 0;
  const char* digits = at;
  for (; at < end && is_digit(*at); ++at) {
    port = port * 10 + (*at - '0');
    if (port > 65535 || at - digits == 5) return {{at, false}, false};
  }
  return {{at, true}, at != digits};
}

}  // namespace ballast::http

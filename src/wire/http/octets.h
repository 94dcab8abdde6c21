// Octets: which bytes may stand where in HTTP/1.1 (RFC 9110 5.6, RFC 3986 3.2.2), one table look-up each.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace ballast::http {

namespace octet {
inline constexpr std::uint8_t token = 1;     // tchar
inline constexpr std::uint8_t hex = 2;       // HEXDIG
inline constexpr std::uint8_t reg_name = 4;  // unreserved, sub-delims and '%'
inline constexpr std::uint8_t value = 8;     // in a field value: HTAB, SP, VCHAR, obs-text
inline constexpr std::uint8_t target = 16;   // VCHAR without '#': a fragment is never sent (RFC 9110 7.1)

consteval std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&classes](const char* bytes, std::uint8_t bit) {
    for (; *bytes != 0; ++bytes) classes[static_cast<std::uint8_t>(*bytes)] |= bit;
  };
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", token | reg_name);
  mark("0123456789ABCDEFabcdef", hex);
  mark("!#$%&'*+-.^_`|~", token);
  mark("-._~%!$&'()*+,;=", reg_name);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\t') classes[byte] |= value;
    if (byte > 0x20 && byte < 0x7f && byte != '#') classes[byte] |= target;
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> classes = make_classes();

inline bool is(char byte, std::uint8_t kind) {
  return (classes.data()[static_cast<std::uint8_t>(byte)] & kind) != 0;
}
}  // namespace octet

inline bool is_token_octet(char byte) {
  return octet::is(byte, octet::token);
}
inline bool is_value_octet(char byte) {
  return octet::is(byte, octet::value);
}
inline bool is_target_octet(char byte) {
  return octet::is(byte, octet::target);
}
inline bool is_hex_digit(char byte) {
  return octet::is(byte, octet::hex);
}
inline bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
inline bool is_space(char byte) {
  return byte == ' ' || byte == '\t';
}  // OWS

inline const char* skip_space(const char* at, const char* end) {
  while (at < end && is_space(*at)) ++at;
  return at;
}
inline const char* trim_space(const char* begin, const char* end) {
  while (end > begin && is_space(end[-1])) --end;
  return end;
}
// Without blanks and tabs at both ends.
inline Bytes trim_space(Bytes text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace ballast::http

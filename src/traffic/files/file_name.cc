#include "traffic/files/file_name.h"

#include <algorithm>
#include <cstddef>

#include "wire/http/octets.h"

namespace ballast::traffic {
namespace {

constexpr std::size_t segment_bytes_max = 255;  // NAME_MAX
constexpr std::size_t name_bytes_max = 4000;    // PATH_MAX, with room for what is appended to it

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return (digit | 0x20) - 'a' + 10;
}

// Behind `prefix` at the end of a segment; false where the path is not below it.
bool strip(Bytes& path, Bytes prefix) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!path.starts_with(prefix)) return false;
  const Bytes rest = path.substr(prefix.size());
  if (!rest.empty() && !rest.starts_with('/')) return false;
  path = rest;
  return true;
}

// Appends the segment decoded.
FileName::Verdict decode(Bytes segment, std::string& out) {
  for (std::size_t i = 0; i < segment.size(); ++i) {
    char byte = segment[i];
    if (byte == '%') {
      if (segment.size() - i < 3 || !http::is_hex_digit(segment[i + 1]) || !http::is_hex_digit(segment[i + 2])) {
        return FileName::Verdict::Refused;
      }
      byte = static_cast<char>(hex_value(segment[i + 1]) * 16 + hex_value(segment[i + 2]));
      i += 2;
    }
    const auto value = static_cast<std::uint8_t>(byte);
    if (value < 0x20 || value == 0x7f || byte == '/' || byte == '\\') return FileName::Verdict::Refused;
    out.push_back(byte);
  }
  return FileName::Verdict::Good;
}

}  // namespace

bool is_utf8(Bytes text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const std::uint8_t first = at(i);
    std::size_t more = 0;
    std::uint8_t low = 0x80;  // of the second byte: narrower where a form would be overlong, a surrogate or too high
    std::uint8_t high = 0xbf;
    if (first < 0x80) {
      ++i;
      continue;
    }
    if (first >= 0xc2 && first <= 0xdf) {
      more = 1;
    } else if (first >= 0xe0 && first <= 0xef) {
      more = 2;
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      more = 3;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (text.size() - i <= more || at(i + 1) < low || at(i + 1) > high) return false;
    for (std::size_t j = 2; j <= more; ++j) {
      if ((at(i + j) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

FileName file_name_of(Bytes path, const NameRules& rules) {
  using Verdict = FileName::Verdict;
  if (!strip(path, rules.strip_prefix)) return {.verdict = Verdict::NotFound};
  FileName found{.is_folder = path.empty() ? false : path.back() == '/'};
  bool too_long = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const Bytes segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment.empty()) continue;
    const bool first = found.name.empty();
    if (!first) found.name.push_back('/');
    const std::size_t begin = found.name.size();
    if (decode(segment, found.name) != Verdict::Good) return {.verdict = Verdict::Refused};
    const Bytes decoded = Bytes(found.name).substr(begin);
    if (decoded == "." || decoded == ".." || !is_utf8(decoded)) return {.verdict = Verdict::Refused};
    const bool well_known = first && decoded == ".well-known";
    if (decoded.starts_with('.') && rules.hidden == HiddenFiles::Refused && !well_known) {
      return {.verdict = Verdict::Refused};
    }
    too_long = too_long || decoded.size() > segment_bytes_max || found.name.size() > name_bytes_max;
  }
  if (too_long) return {.verdict = Verdict::NotFound};
  return found;
}

void append_path_of(std::string& out, Bytes name) {
  constexpr Bytes digits = "0123456789ABCDEF";
  constexpr Bytes unreserved = "-._~/";
  for (const char byte : name) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    if (letter || unreserved.find(byte) != Bytes::npos) {
      out.push_back(byte);
      continue;
    }
    const auto value = static_cast<std::uint8_t>(byte);
    out.push_back('%');
    out.push_back(digits[value >> 4]);
    out.push_back(digits[value & 15]);
  }
}

}  // namespace ballast::traffic

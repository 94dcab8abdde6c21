#include "base/base64.h"

#include <array>
#include <cstdint>

namespace ballast {
namespace {

constexpr std::uint8_t none = 0xff;

consteval std::array<std::uint8_t, 256> make_values(char of_62, char of_63) {
  std::array<std::uint8_t, 256> values{};
  values.fill(none);
  for (int i = 0; i < 26; ++i) {
    values[static_cast<std::size_t>('A' + i)] = static_cast<std::uint8_t>(i);
    values[static_cast<std::size_t>('a' + i)] = static_cast<std::uint8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = static_cast<std::uint8_t>(52 + i);
  values[static_cast<std::uint8_t>(of_62)] = 62;
  values[static_cast<std::uint8_t>(of_63)] = 63;
  return values;
}
constexpr auto url_values = make_values('-', '_');
constexpr auto plain_values = make_values('+', '/');

std::optional<std::string> decode(Bytes text, const std::array<std::uint8_t, 256>& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char letter : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(letter)];
    if (value == none) return std::nullopt;
    held = (held << 6U) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((held >> static_cast<unsigned>(bits)) & 0xffU);
      held &= (1U << static_cast<unsigned>(bits)) - 1;
    }
  }
  if (held != 0) return std::nullopt;  // bits left over: another text for the same bytes
  return bytes;
}

}  // namespace

std::optional<std::string> decode_base64url(Bytes text) {
  return decode(text, url_values);
}

std::optional<std::string> decode_base64(Bytes text) {
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  return decode(text, plain_values);
}

std::string encode_base64url(Bytes bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    held = (held << 8U) | static_cast<std::uint8_t>(byte);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += alphabet[(held >> bits) & 63U];
    }
  }
  if (bits != 0) text += alphabet[(held << (6 - bits)) & 63U];
  return text;
}

}  // namespace ballast

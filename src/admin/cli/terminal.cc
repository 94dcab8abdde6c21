#include "admin/cli/terminal.h"

#include <fmt/format.h>

namespace ballast::admin {

std::string Terminal::paint(std::string_view text, Colour colour) const {
  if (!colours || colour == Colour::Plain) return std::string(text);
  const auto code = [&] {
    switch (colour) {
      case Colour::Good:
        return "32";
      case Colour::Warning:
        return "33";
      case Colour::Bad:
        return "31;1";
      case Colour::Faint:
        return "2";
      case Colour::Strong:
        return "1";
      case Colour::Plain:
        break;
    }
    return "0";
  }();
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // C1 controls are two bytes in UTF-8: C2 80 to C2 9F.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    out += byte < 0x20 || byte == 0x7F || c1 ? '?' : text[i];
  }
  return out;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++count;
  }
  return count;
}

}  // namespace ballast::admin

#include "config/header_kinds.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "config/kinds.h"
#include "config/placeholders.h"

namespace ballast::config {
namespace {

constexpr std::size_t value_bytes_max = 4096;
constexpr std::size_t name_bytes_max = 256;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string name_fault(std::string_view name, std::span<const std::string_view> own) {
  if (std::ranges::find(own, lower(name)) != own.end()) {
    return fmt::format("{} belongs to the connection and is written by ballast alone", quote(name));
  }
  return is_token(name) ? "" : fmt::format("{} is not the name of a header", quote(name));
}

std::string known_placeholders() {
  std::vector<std::string> names;
  for (const std::string& name : placeholder_names(PlaceholderUse::Header)) names.push_back("{" + name + "}");
  return join(names);
}

std::string placeholder_fault(std::string_view value) {
  if (std::string fault = header_text_fault(value); !fault.empty()) return fault;
  const auto pieces = read_placeholders(value, PlaceholderUse::Header);
  return pieces ? "" : fmt::format("unknown placeholder {}; known are {}", pieces.error().text(), known_placeholders());
}

}  // namespace

std::string header_text_fault(std::string_view value) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
      return fmt::format("{} has a character that a header cannot carry", quote(value));
    }
  }
  return "";
}

Value<std::string> header_value() {
  return text({.words = "value of a header", .bytes_max = value_bytes_max, .check = header_text_fault});
}

Value<std::string> header_text() {
  return text({.words = fmt::format("value of a header, with {}", known_placeholders()),
               .bytes_max = value_bytes_max,
               .check = placeholder_fault});
}

Value<std::string> response_header_name() {
  return text({.words = "name of a response header",
               .pattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
               .bytes_max = name_bytes_max,
               .check = [](std::string_view value) -> std::string {
                 constexpr std::array<std::string_view, 9> own{
                     "connection", "content-length",    "keep-alive", "proxy-connection", "te",
                     "trailer",    "transfer-encoding", "upgrade",    "content-encoding"};
                 if (lower(value) == "server") return "the Server header has a property of its own: server_header";
                 return name_fault(value, own);
               }});
}

Value<std::string> request_header_name() {
  return text({.words = "name of a request header",
               .pattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
               .bytes_max = name_bytes_max,
               .check = [](std::string_view value) -> std::string {
                 constexpr std::array<std::string_view, 10> own{
                     "connection", "content-length",    "expect",  "http2-settings", "keep-alive", "proxy-connection",
                     "te",         "transfer-encoding", "trailer", "upgrade"};
                 return name_fault(value, own);
               }});
}

}  // namespace ballast::config

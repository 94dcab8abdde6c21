#include "admin/import/import.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "admin/import/haproxy_read.h"
#include "admin/import/nginx_read.h"
#include "admin/import/workers_properties.h"
#include "config/forms.h"
#include "config/words.h"

namespace ballast::admin {

namespace {

std::string_view without_folders(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string format_names() {
  std::vector<std::string> names;
  for (const ImportFormat& format : import_formats()) names.emplace_back(format.name);
  return config::join(names);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool is_utf8(std::string_view text) {
  int following = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (following > 0) {
      if ((byte & 0xC0U) != 0x80) return false;
      --following;
    } else if (byte >= 0x80) {
      // The ranges that are not minimal, or surrogates, are left to the loader to refuse.
      following = byte >= 0xC2 && byte < 0xE0   ? 1
                  : byte >= 0xE0 && byte < 0xF0 ? 2
                  : byte >= 0xF0 && byte < 0xF5 ? 3
                                                : 0;
      if (following == 0) return false;
    }
  }
  return following == 0;
}

// Words that YAML, in one version or another, reads as something else than text.
bool is_special_word(std::string_view text) {
  static constexpr std::string_view words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return std::ranges::find(words, lower) != std::end(words);
}

}  // namespace

std::span<const ImportFormat> import_formats() {
  static const ImportFormat formats[] = {
      workers_properties_format(),
      {.name = "nginx", .words = "nginx.conf", .recognises = recognises_nginx, .read = read_nginx},
      {.name = "haproxy", .words = "haproxy.cfg", .recognises = recognises_haproxy, .read = read_haproxy},
  };
  return formats;
}

Result<Imported> import_file(const std::string& path, std::string_view from, config::FileReader& files) {
  const std::span<const ImportFormat> formats = import_formats();
  if (!from.empty() && std::ranges::find(formats, from, &ImportFormat::name) == formats.end()) {
    return fail(Code::Unsupported,
                fmt::format("no format {} to import from; there are {}", config::quote(from), format_names()));
  }
  Result<std::string> text = files.read(path, import_bytes_max);
  if (!text) return fail(text.error());
  for (const ImportFormat& format : formats) {
    const bool wanted = from.empty() ? format.recognises(without_folders(path), *text) : format.name == from;
    if (wanted) return format.read({.path = path, .text = std::move(*text), .files = files});
  }
  return fail(Code::Unsupported,
              fmt::format("{}: neither its name nor its contents tell what it is; say it with --from ({})",
                          config::quote(path), format_names()));
}

std::string yaml_text(std::string_view text) {
  const bool plain = !text.empty() && text.front() >= 'A' && std::ranges::all_of(text, is_plain);
  if (plain && text.front() != '_' && !is_special_word(text)) return std::string(text);
  const bool utf8 = is_utf8(text);
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8)) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '$' && text.substr(i).starts_with("${")) out += '$';  // a variable of ours otherwise
      out += c;
    }
  }
  return out + '"';
}

std::string yaml_name(std::string_view text) {
  constexpr std::size_t name_max = 64;  // config::name_pattern
  std::string name;
  for (const char c : text.substr(0, name_max)) name += is_plain(c) ? c : '-';
  while (!name.empty() && !config::is_name(name)) name.erase(name.begin());
  return name.empty() ? "unnamed" : name;
}

}  // namespace ballast::admin

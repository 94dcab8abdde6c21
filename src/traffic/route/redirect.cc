#include "traffic/route/redirect.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ballast::traffic {
namespace {

constexpr std::string_view allowed_in_host = ".-_:[]~%";
// RFC 3986 pchar and '/', and what browsers and servers take in practice; '%' as the client wrote it.
constexpr std::string_view allowed_in_path = "/-._~!$&'()*+,;=:@%|^`{}";
constexpr std::string_view allowed_in_query = "/-._~!$&'()*+,;=:@%|^`{}?[]";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void append_encoded(std::string& out, Bytes text, std::string_view allowed) {
  constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_alphanumeric(c) || allowed.find(c) != std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    out.push_back('%');
    out.push_back(hex[byte >> 4]);
    out.push_back(hex[byte & 15]);
  }
}

void append_path(std::string& out, Bytes path) {
  // "//name" at the beginning of a path could name a host, and send the client wherever the request's author liked.
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  // "*" of OPTIONS, or anything else that is no path, must not run into the host before it.
  if (out.empty() || out.back() != '/') out.push_back('/');
  append_encoded(out, path, allowed_in_path);
}

void append_host(std::string& out, Bytes host) {
  const bool needs_brackets = host.find(':') != Bytes::npos && host.front() != '[';
  if (needs_brackets) out.push_back('[');
  append_encoded(out, host, allowed_in_host);
  if (needs_brackets) out.push_back(']');
}

}  // namespace

Result<RedirectTo> RedirectTo::compile(const config::Redirect& redirect) {
  static constexpr std::array<std::pair<std::string_view, Kind>, 5> known{{
      {"protocol", Kind::Protocol},
      {"host", Kind::Host},
      {"port", Kind::Port},
      {"path", Kind::Path},
      {"query", Kind::Query},
  }};
  const std::string_view to = redirect.to;
  const auto invalid = [&](std::string_view what) {
    return fail(Code::Invalid, fmt::format("redirect to \"{}\": {}", to.substr(0, 200), what));
  };
  constexpr std::array<int, 5> statuses{301, 302, 303, 307, 308};
  if (std::find(statuses.begin(), statuses.end(), redirect.status) == statuses.end()) {
    return invalid(fmt::format("status {} is none of 301, 302, 303, 307 and 308", redirect.status));
  }
  if (to.empty()) return invalid("it is empty");
  if (to.size() > text_max) return invalid(fmt::format("{} bytes; at most {}", to.size(), text_max));
  RedirectTo compiled;
  compiled.status_ = redirect.status;
  std::string text;
  const auto flush = [&] {
    if (!text.empty()) compiled.pieces_.push_back({Kind::Text, std::exchange(text, {})});
  };
  std::size_t placeholders = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(to[i]);
    if (byte <= ' ' || byte == 0x7f) return invalid("it holds a space or a control byte; write it as %20 or the like");
    if (to[i] != '{') {
      if (byte < 0x80) {
        text.push_back(to[i]);
      } else {
        append_encoded(text, to.substr(i, 1), "");
      }
      continue;
    }
    const std::size_t end = to.find('}', i);
    const std::string_view name = to.substr(i + 1, end == std::string_view::npos ? end : end - i - 1);
    const auto* found = std::find_if(known.begin(), known.end(), [&](const auto& pair) { return pair.first == name; });
    if (end == std::string_view::npos || found == known.end()) {
      return invalid(fmt::format(
          "no placeholder \"{{{}}}\"; known are {{protocol}}, {{host}}, {{port}}, {{path}}, {{query}}", name));
    }
    if (++placeholders > placeholders_max) return invalid(fmt::format("more than {} placeholders", placeholders_max));
    flush();
    compiled.pieces_.push_back({found->second, {}});
    i = end;
  }
  flush();
  return compiled;
}

std::string RedirectTo::location(const Request& request) const {
  std::string out;
  out.reserve(64 + request.host.size() + request.path.size() + request.query.size());
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    switch (piece.kind) {
      case Kind::Text: {
        Bytes text = piece.text;
        const bool before_query = i + 1 < pieces_.size() && pieces_[i + 1].kind == Kind::Query;
        if (before_query && request.query.empty() && text.back() == '?') text.remove_suffix(1);
        out += text;
        break;
      }
      case Kind::Protocol:
        append_encoded(out, request.protocol, "");
        break;
      case Kind::Host:
        append_host(out, request.host);
        break;
      case Kind::Port:
        fmt::format_to(std::back_inserter(out), "{}", request.port);
        break;
      case Kind::Path:
        append_path(out, request.path);
        break;
      case Kind::Query:
        append_encoded(out, request.query, allowed_in_query);
        break;
    }
  }
  return out;
}

}  // namespace ballast::traffic

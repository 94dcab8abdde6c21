#include "traffic/route/placeholder_text.h"

#include <iterator>

#include <fmt/format.h>

#include "traffic/route/percent.h"

namespace ballast::traffic {
namespace {

using config::Placeholder;

// All that is visible, and the blank.
constexpr std::string_view printable = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

void append_path(std::string& out, Bytes path) {
  // "//name" at the beginning of a path could name a host, and send the client wherever the request's author liked.
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  // "*" of OPTIONS, or anything else that is no path, must not run into the host before it.
  if (out.empty() || out.back() != '/') out.push_back('/');
  append_encoded(out, path, allowed::in_path);
}

void append_host(std::string& out, Bytes host) {
  const bool needs_brackets = host.find(':') != Bytes::npos && host.front() != '[';
  if (needs_brackets) out.push_back('[');
  append_encoded(out, host, allowed::in_host);
  if (needs_brackets) out.push_back(']');
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += fmt::format("{}{{{}}}", list.empty() ? "" : ", ", name);
  return list;
}

}  // namespace

Result<PlaceholderText> PlaceholderText::compile(std::string_view text, Use use) {
  const auto pieces = config::read_placeholders(text, use);
  if (!pieces) {
    return fail(Code::Invalid, fmt::format("no placeholder {}; known are {}", pieces.error().text(),
                                           list_of(config::placeholder_names(use))));
  }
  PlaceholderText compiled;
  compiled.use_ = use;
  std::size_t placeholders = 0;
  for (const config::PlaceholderPiece& piece : *pieces) {
    if (piece.placeholder != Placeholder::None) {
      if (++placeholders > placeholders_max) {
        return fail(Code::Invalid, fmt::format("more than {} placeholders", placeholders_max));
      }
      compiled.pieces_.push_back({piece.placeholder, {}});
      continue;
    }
    Piece& plain = compiled.pieces_.emplace_back();
    for (const char c : piece.text) {
      const bool stays = use == Use::Header || static_cast<std::uint8_t>(c) < 0x80;
      if (stays) plain.text.push_back(c);
      if (!stays) append_encoded(plain.text, {&c, 1}, "");
    }
  }
  if (compiled.pieces_.empty()) compiled.pieces_.emplace_back();
  return compiled;
}

const std::string* PlaceholderText::plain() const {
  return pieces_.size() == 1 && pieces_[0].placeholder == Placeholder::None ? &pieces_[0].text : nullptr;
}

void PlaceholderText::append_to(std::string& out, const RequestParts& request) const {
  if (use_ == Use::Url) {
    append_in_url(out, request);
  } else {
    append_in_header(out, request);
  }
}

void PlaceholderText::append_in_url(std::string& out, const RequestParts& request) const {
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    switch (piece.placeholder) {
      case Placeholder::None: {
        Bytes text = piece.text;
        const bool before_query = i + 1 < pieces_.size() && pieces_[i + 1].placeholder == Placeholder::Query;
        if (before_query && request.query.empty() && text.back() == '?') text.remove_suffix(1);
        out += text;
        break;
      }
      case Placeholder::Protocol:
        append_encoded(out, request.protocol, "");
        break;
      case Placeholder::Host:
        append_host(out, request.host);
        break;
      case Placeholder::Port:
        fmt::format_to(std::back_inserter(out), "{}", request.port);
        break;
      case Placeholder::Path:
        append_path(out, request.path);
        break;
      case Placeholder::Query:
        append_encoded(out, request.query, allowed::in_query);
        break;
      case Placeholder::Client:
      case Placeholder::RequestId:
        break;  // not of URLs
    }
  }
}

void PlaceholderText::append_in_header(std::string& out, const RequestParts& request) const {
  for (const Piece& piece : pieces_) {
    switch (piece.placeholder) {
      case Placeholder::None:
        out += piece.text;
        break;
      case Placeholder::Protocol:
        append_encoded(out, request.protocol, printable);
        break;
      case Placeholder::Host:
        append_encoded(out, request.host, printable);
        break;
      case Placeholder::Port:
        fmt::format_to(std::back_inserter(out), "{}", request.port);
        break;
      case Placeholder::Path:
        append_encoded(out, request.path, printable);
        break;
      case Placeholder::Query:
        append_encoded(out, request.query, printable);
        break;
      case Placeholder::Client:
        append_encoded(out, request.client, printable);
        break;
      case Placeholder::RequestId:
        append_encoded(out, request.request_id, printable);
        break;
    }
  }
}

}  // namespace ballast::traffic

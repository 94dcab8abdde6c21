#include "wire/http2/head_text.h"

#include <algorithm>

#include "wire/http/head_writer.h"
#include "wire/http/list.h"
#include "wire/http/octets.h"
#include "wire/http/parse.h"

namespace ballast::http2 {
namespace {

using http::Defect;

// What each line adds to its name and value: ": " and the line's end.
constexpr std::size_t line_extra_bytes = 4;

bool is_token(Bytes text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), http::is_token_octet);
}

bool is_name(Bytes name) {
  return is_token(name) && std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Around a value of HTTP/2 there is no space (RFC 9113 8.2.1).
bool is_value(Bytes value) {
  return std::all_of(value.begin(), value.end(), http::is_value_octet) &&
         (value.empty() || !(http::is_space(value.front()) || http::is_space(value.back())));
}

// Fields of one connection, which HTTP/2 does not have (RFC 9113 8.2.2).
bool belongs_to_connection(Bytes name) {
  switch (http::header_id(name)) {
    case http::HeaderId::Connection:
    case http::HeaderId::KeepAlive:
    case http::HeaderId::ProxyConnection:
    case http::HeaderId::TransferEncoding:
    case http::HeaderId::Upgrade:
    case http::HeaderId::Http2Settings:
      return true;
    default:
      return false;
  }
}

Defect judge(Bytes name, Bytes value) {
  if (!is_name(name) || belongs_to_connection(name)) return Defect::BadHeaderName;
  return is_value(value) ? Defect::None : Defect::BadHeaderValue;
}

}  // namespace

bool RequestText::keep(http::Slice& slice, Bytes value) {
  if (slice.size != 0 || value.empty()) return false;
  slice = {static_cast<std::uint32_t>(pseudo_.size()), static_cast<std::uint32_t>(value.size())};
  pseudo_.append(value);
  return true;
}

void RequestText::pseudo(Bytes name, Bytes value) {
  // They come first, once each, and none but these (RFC 9113 8.3).
  if (!lines_.empty() || !cookie_.empty() || host_.size != 0) {
    defect_ = Defect::BadHeaderName;
  } else if (name == ":method") {
    const bool good = is_token(value) && keep(method_, value);
    if (!good) defect_ = Defect::BadMethod;
  } else if (name == ":scheme") {
    if (!keep(scheme_, value)) defect_ = Defect::BadTarget;
  } else if (name == ":authority") {
    if (!is_value(value) || (!value.empty() && !keep(authority_, value))) defect_ = Defect::BadHost;
  } else if (name == ":path") {
    // A space would end the target in the request line, and let what follows be read as a version.
    const bool good = std::all_of(value.begin(), value.end(), http::is_target_octet) && keep(path_, value);
    if (!good) defect_ = Defect::BadTarget;
  } else if (name == ":protocol") {
    const bool good = is_token(value) && keep(protocol_, value);
    if (!good) defect_ = Defect::BadHeaderValue;
  } else {
    defect_ = Defect::BadHeaderName;
  }
}

void RequestText::field(Bytes name, Bytes value) {
  if (defect_ != Defect::None) return;
  bytes_ += name.size() + value.size() + line_extra_bytes;
  if (bytes_ > bytes_max_) {
    defect_ = Defect::HeadTooLarge;
    return;
  }
  if (!name.empty() && name.front() == ':') return pseudo(name, value);
  defect_ = judge(name, value);
  if (defect_ != Defect::None) return;
  switch (http::header_id(name)) {
    case http::HeaderId::Host:
      if (!keep(host_, value)) defect_ = host_.size != 0 ? Defect::RepeatedHost : Defect::BadHost;
      return;
    case http::HeaderId::Te:
      if (!http::iequals(value, "trailers")) {
        defect_ = Defect::BadHeaderValue;
        return;
      }
      break;
    case http::HeaderId::Cookie:
      if (!cookie_.empty()) cookie_.append(Bytes("; "));
      cookie_.append(value);
      return;
    default:
      // The key of a WebSocket is ours to make; two would be one too many.
      if (is_upgrade() && name == "sec-websocket-key") return;
      break;
  }
  http::HeadWriter(lines_).field(name, value);
}

Defect RequestText::write(Buffer& out, Bytes websocket_key) const {
  if (defect_ != Defect::None) return defect_;
  if (method_.size == 0) return Defect::BadMethod;
  const Bytes method = text(method_);
  const bool connect = method == "CONNECT";
  if (is_upgrade() && !connect) return Defect::BadMethod;
  const bool tunnel = connect && !is_upgrade();
  // A CONNECT names an authority only; everything else has a scheme and a path (RFC 9113 8.3.1, 8.5).
  if (tunnel ? path_.size != 0 || scheme_.size != 0 || authority_.size == 0 : path_.size == 0 || scheme_.size == 0) {
    return Defect::BadTarget;
  }
  // An absolute target in :path would bring an authority of its own.
  if (!tunnel && text(path_).front() != '/' && !(text(path_) == "*" && method == "OPTIONS")) return Defect::BadTarget;
  if (authority_.size == 0 && host_.size == 0) return Defect::MissingHost;
  const Bytes authority = text(authority_.size != 0 ? authority_ : host_);
  // Which of two a reader goes by is what a smuggler would like to choose.
  if (host_.size != 0 && !http::iequals(text(host_), authority)) return Defect::BadHost;

  http::HeadWriter head(out);
  head.request_line(is_upgrade() ? Bytes("GET") : method, tunnel ? authority : text(path_));
  head.field("Host", authority);
  head.raw(lines_.view());
  if (!cookie_.empty()) head.field("cookie", cookie_.view());
  if (is_upgrade()) {
    head.field("Connection", "upgrade");
    head.field("Upgrade", text(protocol_));
    if (http::iequals(text(protocol_), "websocket")) head.field("Sec-WebSocket-Key", websocket_key);
  }
  head.end();
  return Defect::None;
}

void ResponseText::field(Bytes name, Bytes value) {
  if (defect_ != Defect::None) return;
  if (lines_.size() + name.size() + value.size() + line_extra_bytes > bytes_max_) {
    defect_ = Defect::HeadTooLarge;
    return;
  }
  if (name == ":status") {
    const bool good =
        value.size() == 3 && std::all_of(value.begin(), value.end(), http::is_digit) && status_ == 0 && lines_.empty();
    if (!good) {
      defect_ = Defect::BadStatus;
      return;
    }
    for (const char digit : value) status_ = status_ * 10 + (digit - '0');
    return;
  }
  defect_ = judge(name, value);
  if (defect_ == Defect::None) http::HeadWriter(lines_).field(name, value);
}

Defect ResponseText::write(Buffer& out) const {
  if (defect_ != Defect::None) return defect_;
  // There is no switching of protocols in HTTP/2 (RFC 9113 8.6).
  if (status_ < 100 || status_ == 101) return Defect::BadStatus;
  http::HeadWriter head(out);
  head.status_line(status_, {});
  head.raw(lines_.view());
  head.end();
  return Defect::None;
}

void TrailerText::field(Bytes name, Bytes value) {
  if (defect_ != Defect::None) return;
  if (lines_.size() + name.size() + value.size() + line_extra_bytes > bytes_max_) {
    defect_ = Defect::HeadTooLarge;
  } else if (!is_name(name) || !is_value(value)) {
    defect_ = Defect::BadTrailer;
  } else if (http::is_forbidden_trailer(name)) {
    defect_ = Defect::ForbiddenTrailer;
  } else {
    http::HeadWriter(lines_).field(name, value);
  }
}

}  // namespace ballast::http2

#include <cstring>

#include "wire/http/field_reader.h"
#include "wire/http/framing_reader.h"
#include "wire/http/list.h"
#include "wire/http/oddity.h"
#include "wire/http/parse.h"

namespace ballast::http {
namespace {

// Longer than any registered method (RFC 9110 16.1); what is longer is not HTTP.
constexpr std::size_t method_max = 32;

struct RequestLine {
  Bytes method;
  const char* target = nullptr;
  const char* target_end = nullptr;
  const char* query = nullptr;  // at its '?'
  const char* path = nullptr;
  const char* path_end = nullptr;
  Bytes authority;
  int minor_version = 1;
};

Reading read_absolute_form(const char* at, const char* end, RequestLine& line) {
  constexpr Bytes scheme = "http";
  for (const char letter : scheme) {
    if (at == end || to_lower(*at) != letter) return {at, false};
    ++at;
  }
  if (at < end && to_lower(*at) == 's') ++at;
  for (const char mark : Bytes("://")) {
    if (at == end || *at != mark) return {at, false};
    ++at;
  }
  const AuthorityReading authority = read_authority(at, end);
  line.authority = {at, static_cast<std::size_t>(authority.reading.at - at)};
  if (!authority.reading.whole) return authority.reading;
  const char* path = authority.reading.at;
  if (path != end && *path != '/' && *path != '?') return {path, false};
  if (path == end || *path == '?') {
    // No path stands for "/": there is one to point at just before the authority.
    line.path = at - 1;
    line.path_end = at;
  } else {
    line.path = path;
    line.path_end = line.query != nullptr ? line.query : end;
  }
  return {end, true};
}

// RFC 9112 3.2.
Reading read_target(RequestLine& line) {
  const char* at = line.target;
  const char* end = line.target_end;
  if (at == end) return {at, false};
  if (line.method == "CONNECT") {
    // The port is required (RFC 9110 9.3.6).
    const AuthorityReading authority = read_authority(at, end);
    line.authority = {at, static_cast<std::size_t>(end - at)};
    line.path = line.path_end = end;
    line.query = nullptr;
    return {authority.reading.at, authority.reading.whole && authority.has_port};
  }
  if (*at == '/') {
    line.path = at;
    line.path_end = line.query != nullptr ? line.query : end;
    return {end, true};
  }
  if (*at == '*') {
    line.path = at;
    line.path_end = at + 1;
    return {line.method == "OPTIONS" ? at + 1 : at, line.method == "OPTIONS"};
  }
  return read_absolute_form(at, end, line);
}

// "HTTP/1.0" or "HTTP/1.1" and the line's end.
Finding read_version(const char* at, const char* bound, const char* end, int& minor_version) {
  if (end - at >= 10 && bound - at >= 8 && std::memcmp(at, "HTTP/1.1\r\n", 10) == 0) {
    minor_version = 1;
    return found(at + 10);
  }
  // What is no version at all is what follows a space in the target.
  Defect otherwise = Defect::BadTarget;
  for (const char wanted : Bytes("HTTP/1.x")) {
    if (at == bound) return at == end ? need_more() : refused(Defect::LineTooLong, at);
    if (wanted == 'x' ? *at != '0' && *at != '1' : *at != wanted) return stray(at, end, otherwise);
    if (wanted == '/') otherwise = Defect::BadVersion;
    ++at;
  }
  minor_version = at[-1] - '0';
  if (at == end) return need_more();
  if (is_line_end(at, end)) return found(at + 2);
  return stray(at, end, Defect::BadVersion);
}

Finding read_request_line(const char* begin, const char* end, std::size_t limit, RequestLine& line) {
  const char* bound = line_bound(begin, end, limit);
  const char* at = begin;
  const char* method_bound = line_bound(begin, bound, method_max);
  while (at < method_bound && is_token_octet(*at)) ++at;
  if (at == bound) return at == end ? need_more() : refused(Defect::LineTooLong, at);
  if (*at != ' ' || at == begin) return stray(at, end, Defect::BadMethod);
  line.method = {begin, static_cast<std::size_t>(at - begin)};

  line.target = at + 1;
  line.target_end = scan_target(line.target, bound, line.query);
  const Reading target = read_target(line);
  if (target.at != line.target_end) return refused(Defect::BadTarget, target.at);
  at = line.target_end;
  if (at == bound) return at == end ? need_more() : refused(Defect::LineTooLong, at);
  // A line that ends here is HTTP/0.9.
  if (*at != ' ') return stray(at, end, *at == '\r' ? Defect::BadVersion : Defect::BadTarget);
  if (!target.whole) return refused(Defect::BadTarget, at);
  return read_version(at + 1, bound, end, line.minor_version);
}

constexpr std::uint32_t bit(HeaderId id) {
  return 1U << static_cast<unsigned>(id);
}

// What a request's fields mean, gathered while they are read.
struct RequestMeaning {
  static constexpr std::uint32_t ids = bit(HeaderId::Host) | bit(HeaderId::ContentLength) |
                                       bit(HeaderId::TransferEncoding) | bit(HeaderId::Connection) |
                                       bit(HeaderId::Upgrade) | bit(HeaderId::Expect);
  const int minor_version;
  FramingReader framing{};
  const char* host_colon = nullptr;
  Bytes host{};
  bool has_upgrade = false;
  bool expects_continue = false;

  bool wants_upgrade() const { return minor_version == 1 && has_upgrade && framing.upgrade; }
  bool has_body() const { return framing.chunked || framing.length != 0; }

  Finding take(HeaderId id, const FieldLine& line) {
    switch (id) {
      case HeaderId::Host:
        return take_host(line);
      case HeaderId::ContentLength: {
        const Finding finding = framing.take_length(line);
        if (finding.progress != Progress::Complete) return finding;
        break;
      }
      case HeaderId::TransferEncoding: {
        const Finding finding = framing.take_coding(line, minor_version);
        if (finding.progress != Progress::Complete) return finding;
        break;
      }
      case HeaderId::Connection:
        if (line.complete) framing.take_connection(line);
        break;
      case HeaderId::Upgrade:
        // One to h2c would lead past all rules; a server may answer as if it had not been asked (RFC 9110 7.8).
        if (line.complete && line.value != line.stop && !list_has(value_of(line), "h2c")) has_upgrade = true;
        break;
      case HeaderId::Expect:
        if (line.complete && minor_version == 1 && iequals(value_of(line), "100-continue")) expects_continue = true;
        break;
      default:
        break;
    }
    if (line.complete && wants_upgrade() && has_body()) return refused(Defect::UpgradeWithBody, line.stop + 1);
    return found(line.stop);
  }

  Finding take_host(const FieldLine& line) {
    if (host_colon != nullptr) return refused(Defect::RepeatedHost, line.colon);
    host_colon = line.colon;
    const Reading reading = read_authority(line.value, line.stop).reading;
    host = {line.value, static_cast<std::size_t>(reading.at - line.value)};
    return settle(line, reading, Defect::BadHost);
  }

  Finding finish(const char* lf) const {
    if (host_colon == nullptr && minor_version == 1) return refused(Defect::MissingHost, lf);
    return found(lf);
  }
};

}  // namespace

Outcome RequestParser::parse(Bytes input, const HeadLimits& limits, RequestHead& head) {
  const char* base = input.data();
  const auto slice = [base](Bytes bytes) {
    return Slice{static_cast<std::uint32_t>(bytes.data() - base), static_cast<std::uint32_t>(bytes.size())};
  };
  const auto between = [base](const char* begin, const char* end) {
    return Slice{static_cast<std::uint32_t>(begin - base), static_cast<std::uint32_t>(end - begin)};
  };
  head.fields.clear(base);
  return read_head(input, limits, [&](const char* end) {
    RequestLine line;
    Finding finding = read_request_line(base, end, limits.line, line);
    if (finding.progress != Progress::Complete) return finding;
    RequestMeaning meaning{.minor_version = line.minor_version};
    finding = read_fields(finding.at, end, limits, head.fields, meaning);
    if (finding.progress != Progress::Complete) return finding;

    const FramingReader& framing = meaning.framing;
    head.framing = framing.chunked ? Framing::Chunked : framing.has_length ? Framing::Length : Framing::None;
    head.content_length = framing.length;
    head.minor_version = line.minor_version;
    head.keep_alive = framing.persists(line.minor_version);
    head.expects_continue = meaning.expects_continue;
    head.wants_upgrade = meaning.wants_upgrade();
    head.is_head = line.method == "HEAD";
    head.is_connect = line.method == "CONNECT";
    head.size = static_cast<std::uint32_t>(finding.at - base);
    head.method_ = slice(line.method);
    head.target_ = between(line.target, line.target_end);
    head.path_ = between(line.path, line.path_end);
    head.has_query_ = line.query != nullptr;
    head.query_ = head.has_query_ ? between(line.query + 1, line.target_end) : Slice{};
    const Bytes authority = line.authority.empty() ? meaning.host : line.authority;
    head.authority_ = authority.empty() ? Slice{} : slice(authority);
    head.oddity = {};
    const bool may_be_odd = meaning.has_body() || framing.padded || !line.authority.empty();
    if (!may_be_odd && limits.strictness == Strictness::Defensive) return finding;
    head.oddity = find_oddity(head, limits.strictness);
    const bool refuses = limits.strictness == Strictness::Strictest && head.oddity.defect != Defect::None;
    return refuses ? refused(head.oddity.defect, base + head.oddity.offset) : finding;
  });
}

}  // namespace ballast::http

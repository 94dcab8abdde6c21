#include <algorithm>
#include <cstring>

#include "wire/http/field_reader.h"
#include "wire/http/framing_reader.h"
#include "wire/http/oddity.h"
#include "wire/http/parse.h"

namespace ballast::http {
namespace {

struct StatusLine {
  int minor_version = 1;
  int status = 0;
  const char* reason = nullptr;
  const char* reason_end = nullptr;
};

// "HTTP/1.1 200 OK". Servers that leave out the space behind the status with the reason are common enough to be let be:
// nothing can be understood in two ways by it.
Finding read_status_line(const char* at, const char* end, std::size_t limit, StatusLine& line) {
  const char* bound = line_bound(at, end, limit);
  if (bound - at >= 9 && std::memcmp(at, "HTTP/1.1 ", 9) == 0) {
    at += 9;
  } else {
    for (const char wanted : Bytes("HTTP/1.x")) {
      if (at == bound) return at == end ? need_more() : refused(Defect::LineTooLong, at);
      if (wanted == 'x' ? *at != '0' && *at != '1' : *at != wanted) return stray(at, end, Defect::BadVersion);
      ++at;
    }
    line.minor_version = at[-1] - '0';
    if (at == bound) return at == end ? need_more() : refused(Defect::LineTooLong, at);
    // A line that ends here has no status; any other byte belongs to the version.
    if (*at != ' ') return stray(at, end, *at == '\r' ? Defect::BadStatus : Defect::BadVersion);
    ++at;
  }
  for (int digit = 0; digit < 3; ++digit) {
    if (at == bound) return at == end ? need_more() : refused(Defect::LineTooLong, at);
    if (!is_digit(*at) || (digit == 0 && (*at < '1' || *at > '5'))) return stray(at, end, Defect::BadStatus);
    line.status = line.status * 10 + (*at - '0');
    ++at;
  }
  line.reason = at;
  if (at < bound && *at == ' ') {
    line.reason = at + 1;
    at = scan_value(line.reason, bound);
  }
  line.reason_end = at;
  if (is_line_end(at, end)) return found(at + 2);
  if (at == end) return need_more();
  if (at == bound && *at != '\r') return refused(Defect::LineTooLong, at);
  return stray(at, end, Defect::BadStatus);
}

// The seconds of "timeout=5, max=100"; the smallest where there are several.
void take_keep_alive(Bytes value, std::optional<int>& seconds) {
  constexpr Bytes parameter = "timeout=";
  constexpr int seconds_max = 7 * 24 * 3600;  // longer says no more
  ListReader list(value);
  for (Bytes item; list.next(item);) {
    if (item.size() <= parameter.size() || !iequals(item.substr(0, parameter.size()), parameter)) continue;
    int stated = 0;
    bool digits = true;
    for (const char byte : item.substr(parameter.size())) {
      digits = digits && is_digit(byte);
      if (digits) stated = std::min(seconds_max, stated * 10 + (byte - '0'));
    }
    if (digits) seconds = seconds ? std::min(*seconds, stated) : stated;
  }
}

constexpr std::uint32_t bit(HeaderId id) {
  return 1U << static_cast<unsigned>(id);
}

struct ResponseMeaning {
  static constexpr std::uint32_t ids = bit(HeaderId::ContentLength) | bit(HeaderId::TransferEncoding) |
                                       bit(HeaderId::Connection) | bit(HeaderId::KeepAlive);
  const int minor_version;
  const int status;
  FramingReader framing{};
  std::optional<int> keep_alive_seconds{};

  // 1xx and 204 end with their head whatever they state (RFC 9112 6.3), and may state neither a coding (6.1) nor a
  // length (RFC 9110 8.6). One that does either breaks that, or sends body bytes that would be read as the next
  // response: both are refused. A length of 0 says the same as the status, and many servers send it with 204; that is
  // let be.
  bool never_has_body() const { return status < 200 || status == 204; }

  Finding take(HeaderId id, const FieldLine& line) {
    switch (id) {
      case HeaderId::ContentLength: {
        const Finding finding = framing.take_length(line);
        if (!never_has_body()) return finding;
        const char* at = line.value;
        while (at < line.stop && *at == '0') ++at;
        const bool earlier = finding.progress == Progress::Complete || at < finding.at;
        return earlier && at < line.stop && is_digit(*at) ? refused(Defect::BadContentLength, at) : finding;
      }
      case HeaderId::TransferEncoding:
        if (never_has_body()) return refused(Defect::UnknownCoding, line.colon);
        return framing.take_coding(line, minor_version);
      case HeaderId::Connection:
        if (line.complete) framing.take_connection(line);
        break;
      case HeaderId::KeepAlive:
        if (line.complete) take_keep_alive(value_of(line), keep_alive_seconds);
        break;
      default:
        break;
    }
    return found(line.stop);
  }

  Finding finish(const char* lf) const { return found(lf); }
};

}  // namespace

Outcome ResponseParser::parse(Bytes input, const HeadLimits& limits, Question question, ResponseHead& head) {
  const char* base = input.data();
  head.fields.clear(base);
  return read_head(input, limits, [&](const char* end) {
    StatusLine line;
    Finding finding = read_status_line(base, end, limits.line, line);
    if (finding.progress != Progress::Complete) return finding;
    ResponseMeaning meaning{.minor_version = line.minor_version, .status = line.status};
    finding = read_fields(finding.at, end, limits, head.fields, meaning);
    if (finding.progress != Progress::Complete) return finding;

    const FramingReader& framing = meaning.framing;
    const bool tunnel = line.status == 101 || (question.to_connect && line.status / 100 == 2);
    if (question.to_head || tunnel || meaning.never_has_body() || line.status == 304) {
      head.framing = Framing::None;
    } else if (framing.chunked) {
      head.framing = Framing::Chunked;
    } else {
      head.framing = framing.has_length ? Framing::Length : Framing::UntilClose;
    }
    head.status = line.status;
    head.minor_version = line.minor_version;
    head.content_length = framing.length;
    head.has_content_length = framing.has_length;
    head.keep_alive = framing.persists(line.minor_version) && head.framing != Framing::UntilClose && !tunnel;
    head.keep_alive_seconds = meaning.keep_alive_seconds;
    head.reason_ = {static_cast<std::uint32_t>(line.reason - base),
                    static_cast<std::uint32_t>(line.reason_end - line.reason)};
    head.size = static_cast<std::uint32_t>(finding.at - base);
    head.oddity = {};
    const bool states_nothing = meaning.never_has_body() && framing.has_length;
    const bool may_be_odd = states_nothing || framing.padded || line.reason[-1] != ' ';
    if (!may_be_odd && limits.strictness == Strictness::Defensive) return finding;
    head.oddity = find_oddity(head, limits.strictness);
    const bool refuses = limits.strictness == Strictness::Strictest && head.oddity.defect != Defect::None;
    return refuses ? refused(head.oddity.defect, base + head.oddity.offset) : finding;
  });
}

}  // namespace ballast::http

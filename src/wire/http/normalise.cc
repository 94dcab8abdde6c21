#include "wire/http/normalise.h"

#include <algorithm>
#include <optional>
#include <string>

#include "wire/http/list.h"
#include "wire/http/octets.h"

namespace ballast::http {
namespace {

// A head of an old program has one habit, not many.
constexpr int repairs_max = 32;

enum class Side : std::uint8_t { Request, Response };

struct Extent {
  Progress progress = Progress::Failed;
  std::size_t size = 0;
  bool lf_alone = false;
};

// Up to the empty line; Failed where lines end in two ways.
Extent extent_of(Bytes input, std::size_t size_max) {
  Extent extent;
  bool is_first = true;
  for (std::size_t line = 0;;) {
    const std::size_t lf = input.find('\n', line);
    if (lf == Bytes::npos) {
      extent.progress = input.size() <= size_max ? Progress::NeedMore : Progress::Failed;
      return extent;
    }
    const bool has_cr = lf > line && input[lf - 1] == '\r';
    if (is_first) extent.lf_alone = !has_cr;
    is_first = false;
    if (has_cr == extent.lf_alone || lf >= size_max) return extent;
    if (lf - line == (has_cr ? 1U : 0U)) {
      extent.progress = Progress::Complete;
      extent.size = lf + 1;
      return extent;
    }
    line = lf + 1;
  }
}

// One field line of a head whose lines end with CR LF.
struct Line {
  std::size_t begin = 0;
  std::size_t end = 0;  // at its CR
  Bytes name;
  Bytes value;  // trimmed
};

class Repairer {
 public:
  Repairer(Side side, std::string& text) : side_(side), text_(text) {}

  // Mends what stands at `offset`; false where there is no safe reading.
  bool repair(Defect defect, std::size_t offset) {
    switch (defect) {
      case Defect::ObsFold:
        bodiless_ = true;
        return unfold(offset);
      case Defect::BadHeaderValue:
        bodiless_ = true;
        return blank_controls(offset);
      case Defect::RepeatedContentLength:
        return remove_twin(HeaderId::ContentLength, offset);
      case Defect::RepeatedHost:
        return side_ == Side::Request && remove_twin(HeaderId::Host, offset);
      case Defect::BadContentLength:
        return unite_lengths(offset);
      case Defect::BadTarget:
        return side_ == Side::Request && encode_target(offset);
      case Defect::SpaceBeforeColon:
        return side_ == Side::Response && close_up_name(offset);
      default:
        return false;
    }
  }
  // What was mended may have been a framing field to somebody else.
  bool only_without_body() const { return bodiless_; }

 private:
  Bytes text() const { return text_; }

  Line line_at(std::size_t offset) const {
    Line line;
    const std::size_t before = offset == 0 ? std::string::npos : text_.rfind("\r\n", offset - 1);
    line.begin = before == std::string::npos ? 0 : before + 2;
    line.end = std::min(text_.find("\r\n", line.begin), text_.size());
    const Bytes whole = text().substr(line.begin, line.end - line.begin);
    const std::size_t colon = whole.find(':');
    line.name = whole.substr(0, colon);
    if (colon == Bytes::npos) return line;
    const char* begin = skip_space(whole.data() + colon + 1, whole.data() + whole.size());
    const char* end = trim_space(begin, whole.data() + whole.size());
    line.value = {begin, static_cast<std::size_t>(end - begin)};
    return line;
  }
  bool is_first_line(const Line& line) const { return line.begin == 0; }

  // Fields on which the message's end, its host or its connection hang.
  static bool decides(Bytes name) {
    switch (header_id(name)) {
      case HeaderId::Connection:
      case HeaderId::ContentLength:
      case HeaderId::Expect:
      case HeaderId::Host:
      case HeaderId::Http2Settings:
      case HeaderId::KeepAlive:
      case HeaderId::ProxyConnection:
      case HeaderId::Te:
      case HeaderId::Trailer:
      case HeaderId::TransferEncoding:
      case HeaderId::Upgrade:
        return true;
      default:
        return false;
    }
  }

  bool unfold(std::size_t offset) {
    if (offset < 3) return false;
    const Line folded = line_at(offset - 3);  // within the line before, whose CR LF stands just before `offset`
    const Line more = line_at(offset);
    if (is_first_line(folded) || decides(folded.name)) return false;
    const char* end = text_.data() + more.end;
    const char* content = skip_space(text_.data() + offset, end);
    if (content == end) return false;
    text_.replace(offset - 2, static_cast<std::size_t>(content - text_.data()) - (offset - 2), " ");
    return true;
  }

  bool blank_controls(std::size_t offset) {
    const Line line = line_at(offset);
    if (is_first_line(line) || decides(line.name)) return false;
    bool found = false;
    for (std::size_t at = line.begin; at < line.end; ++at) {
      const char byte = text_[at];
      if (is_value_octet(byte) || byte == '\0' || byte == '\r' || byte == '\n') continue;
      text_[at] = ' ';
      found = true;
    }
    return found;
  }

  static bool is_number(Bytes value) { return !value.empty() && std::ranges::all_of(value, is_digit); }

  // The first line of that name and the one at `offset` say the same.
  bool remove_twin(HeaderId id, std::size_t offset) {
    const Line second = line_at(offset);
    const bool numbers = id == HeaderId::ContentLength;
    for (std::size_t at = text_.find("\r\n") + 2; at < second.begin; at = line_at(at).end + 2) {
      const Line first = line_at(at);
      if (header_id(first.name) != id) continue;
      const bool same =
          numbers ? first.value == second.value && is_number(first.value) : iequals(first.value, second.value);
      if (same) text_.erase(second.begin, second.end + 2 - second.begin);
      return same;
    }
    return false;
  }

  // "5, 5" (RFC 9110 8.6).
  bool unite_lengths(std::size_t offset) {
    const Line line = line_at(offset);
    if (header_id(line.name) != HeaderId::ContentLength || line.value.find(',') == Bytes::npos) return false;
    const std::string first(line.value.substr(0, line.value.find_first_of(", \t")));
    if (!is_number(first)) return false;
    std::size_t count = 0;
    for (Bytes rest = line.value;; ++count) {
      const std::size_t comma = rest.find(',');
      const Bytes item = rest.substr(0, comma);
      const char* begin = skip_space(item.data(), item.data() + item.size());
      const char* end = trim_space(begin, item.data() + item.size());
      if (Bytes(begin, static_cast<std::size_t>(end - begin)) != first) return false;
      if (comma == Bytes::npos) break;
      rest.remove_prefix(comma + 1);
    }
    const auto at = static_cast<std::size_t>(line.value.data() - text_.data());
    text_.replace(at, line.value.size(), first);
    return count != 0;
  }

  bool encode_target(std::size_t offset) {
    const auto is_beyond_ascii = [](char byte) { return (static_cast<unsigned char>(byte) & 0x80U) != 0; };
    const std::size_t end = text_.find("\r\n");
    const std::size_t begin = text_.find(' ') + 1;
    if (offset >= end || begin > offset || text_[begin] != '/' || !is_beyond_ascii(text_[offset])) return false;
    std::string line = text_.substr(0, begin);
    for (const char byte : text().substr(begin, end - begin)) {
      if (!is_beyond_ascii(byte)) {
        line += byte;
        continue;
      }
      const auto value = static_cast<unsigned char>(byte);
      line += '%';
      line += "0123456789ABCDEF"[value >> 4U];
      line += "0123456789ABCDEF"[value & 15U];
    }
    text_.replace(0, end, line);
    return true;
  }

  bool close_up_name(std::size_t offset) {
    const Line line = line_at(offset);
    const char* end = text_.data() + line.end;
    const char* colon = skip_space(text_.data() + offset, end);
    const Bytes name = text().substr(line.begin, offset - line.begin);
    if (colon == end || *colon != ':' || name.empty() || is_first_line(line) || decides(name)) return false;
    text_.erase(offset, static_cast<std::size_t>(colon - text_.data()) - offset);
    return true;
  }

  const Side side_;
  std::string& text_;
  bool bodiless_ = false;
};

// Whether the rest of the head is worth waiting for: what can never be mended is refused at once.
bool may_be_mended(Side side, Bytes input, const Outcome& refusal) {
  const char byte = refusal.offset < input.size() ? input[refusal.offset] : '\0';
  switch (refusal.defect) {
    case Defect::BareLf:
    case Defect::ObsFold:
    case Defect::BadHeaderValue:
    case Defect::RepeatedContentLength:
      return true;
    case Defect::RepeatedHost:
      return side == Side::Request;
    case Defect::BadTarget:
      return side == Side::Request && (static_cast<unsigned char>(byte) & 0x80U) != 0;
    case Defect::BadContentLength:
      return byte == ',';
    case Defect::SpaceBeforeColon:
      return side == Side::Response;
    default:
      return false;
  }
}

std::string with_crlf(Bytes head, const Extent& extent) {
  if (!extent.lf_alone) return std::string(head);
  std::string text;
  for (const char byte : head) {
    if (byte == '\n') text += '\r';
    text += byte;
  }
  return text;
}

// `parse(Bytes)` is the strict parser, which fills `head`.
template <typename Head, typename Parse>
Normalised normalise_by(Bytes input, const Outcome& refusal, const HeadLimits& limits, Side side, Buffer& text,
                        Head& head, const Parse& parse) {
  constexpr Normalised stands{};
  if (!may_be_mended(side, input, refusal)) return stands;
  const Extent extent = extent_of(input, limits.head);
  if (extent.progress != Progress::Complete) return {.progress = extent.progress};
  std::string mended = with_crlf(input.substr(0, extent.size), extent);
  Repairer repairer(side, mended);
  Outcome outcome;
  for (int repairs = 0;; ++repairs) {
    outcome = parse(Bytes(mended));
    if (outcome.progress != Progress::Failed) break;
    if (repairs == repairs_max || !repairer.repair(outcome.defect, outcome.offset)) return stands;
  }
  if (outcome.progress != Progress::Complete || head.size != mended.size()) return stands;
  if (side == Side::Request && repairer.only_without_body() && head.framing != Framing::None) return stands;
  if (extent.lf_alone && head.framing == Framing::Chunked) return stands;
  text.clear();
  text.append(mended);
  head.rebase(text.view().data());
  head.keep_alive = false;
  head.oddity = {refusal.defect, refusal.offset};
  return {.progress = Progress::Complete, .size = extent.size};
}

}  // namespace

Normalised normalise(Bytes input, const Outcome& refusal, const HeadLimits& limits, Buffer& text, RequestHead& head) {
  const Normalised done = normalise_by(input, refusal, limits, Side::Request, text, head,
                                       [&](Bytes bytes) { return RequestParser::parse(bytes, limits, head); });
  // What follows an upgrade is no message: it could not be ended in time.
  if (done.progress == Progress::Complete && (head.wants_upgrade || head.is_connect)) return {};
  return done;
}

Normalised normalise(Bytes input, const Outcome& refusal, const HeadLimits& limits, ResponseParser::Question question,
                     Buffer& text, ResponseHead& head) {
  const Normalised done = normalise_by(input, refusal, limits, Side::Response, text, head, [&](Bytes bytes) {
    return ResponseParser::parse(bytes, limits, question, head);
  });
  if (done.progress == Progress::Complete && head.status < 200) return {};
  return done;
}

}  // namespace ballast::http

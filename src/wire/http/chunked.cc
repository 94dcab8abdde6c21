// The chunked coding (RFC 9112 7.1), taken apart and written.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "wire/http/head_writer.h"
#include "wire/http/list.h"
#include "wire/http/parse.h"
#include "wire/http/scan.h"

namespace ballast::http {
namespace {

constexpr int digits_max = 16;
constexpr std::size_t extension_max = 256;  // no extension is in use; what there is serves attacks or padding

std::uint64_t hex_value(char digit) {
  return static_cast<std::uint64_t>(is_digit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

// What ended a line early.
Defect stray_in_chunk(char byte, Defect otherwise) {
  if (byte == '\n') return Defect::BareLf;
  return byte == '\0' ? Defect::NulByte : otherwise;
}

// Fields that frame, route, authenticate, modify or control, and so must be known before the body (RFC 9110 6.5.1),
// beside those that have a HeaderId. A recipient that merged one into the head would act on what nobody on the way
// could check.
constexpr std::array<Bytes, 37> forbidden_trailers{
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "cache-control",
    "clear-site-data",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-range",
    "content-security-policy",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "refresh",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-http-method-override",
    "x-real-ip",
};

}  // namespace

bool is_forbidden_trailer(Bytes name) {
  if (header_id(name) != HeaderId::Other) return true;
  return std::ranges::any_of(forbidden_trailers, [name](Bytes forbidden) { return iequals(name, forbidden); });
}

ChunkedDecoder::Step ChunkedDecoder::broken(Defect defect, std::size_t consumed) {
  state_ = State::Broken;
  line_.release();
  trailers_.release();
  return {.kind = Kind::Failed, .consumed = consumed, .data = {}, .defect = defect};
}

// Its place is that of the input it was found in: near enough for what is let pass.
Defect ChunkedDecoder::odd(Defect defect) {
  if (oddity_.defect == Defect::None) oddity_ = {defect, taken_};
  return limits_.strictness == Strictness::Strictest ? defect : Defect::None;
}

ChunkedDecoder::Step ChunkedDecoder::next(Bytes input) {
  const Step step = advance(input);
  taken_ += step.consumed;
  return step;
}

ChunkedDecoder::Step ChunkedDecoder::advance(Bytes input) {
  const char* at = input.data();
  const char* end = at + input.size();
  const auto consumed = [&] { return static_cast<std::size_t>(at - input.data()); };
  if (state_ == State::Done) return {.kind = Kind::End};
  CHECK(state_ != State::Broken);
  while (at < end) {
    Defect defect = Defect::None;
    switch (state_) {
      case State::Size:
        defect = take_size(at, end);
        break;
      case State::Extension:
        defect = take_extension(at, end);
        break;
      case State::SizeLf:
        if (*at != '\n') {
          defect = Defect::BareCr;
          break;
        }
        ++at;
        digits_ = 0;
        extension_size_ = 0;
        state_ = left_ == 0 ? State::Trailer : State::Data;
        break;
      case State::Data: {
        const std::size_t size = std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(end - at));
        const Bytes data(at, size);
        at += size;
        left_ -= size;
        if (left_ == 0) state_ = State::DataCr;
        return {.kind = Kind::Data, .consumed = consumed(), .data = data};
      }
      case State::DataCr:
        if (*at != '\r') {
          defect = Defect::BadChunkEnd;
          break;
        }
        ++at;
        state_ = State::DataLf;
        break;
      case State::DataLf:
        if (*at != '\n') {
          defect = Defect::BadChunkEnd;
          break;
        }
        ++at;
        state_ = State::Size;
        break;
      case State::Trailer:
        defect = take_trailer(at, end);
        if (state_ == State::Done) return {.kind = Kind::End, .consumed = consumed()};
        break;
      case State::Done:
      case State::Broken:
        break;
    }
    if (defect != Defect::None) return broken(defect, consumed());
  }
  return {.kind = Kind::NeedMore, .consumed = consumed()};
}

Defect ChunkedDecoder::take_size(const char*& at, const char* end) {
  for (; at < end && is_hex_digit(*at); ++at) {
    // Four more bits must leave the value below 2^63.
    if (digits_ == digits_max || (left_ >> 59) != 0) return Defect::BadChunkSize;
    if (digits_ == 1 && left_ == 0) {
      if (const Defect defect = odd(Defect::PaddedNumber); defect != Defect::None) return defect;
    }
    left_ = (left_ << 4) | hex_value(*at);
    ++digits_;
  }
  if (at == end) return Defect::None;
  if (digits_ == 0 || (*at != '\r' && *at != ';')) return stray_in_chunk(*at, Defect::BadChunkSize);
  state_ = *at == '\r' ? State::SizeLf : State::Extension;
  if (state_ == State::Extension) return odd(Defect::ChunkExtension);
  ++at;
  return Defect::None;
}

Defect ChunkedDecoder::take_extension(const char*& at, const char* end) {
  const std::size_t room = std::min(extension_max - extension_size_, static_cast<std::size_t>(end - at));
  const char* stop = scan_value(at, at + room);
  extension_size_ = static_cast<std::uint16_t>(extension_size_ + (stop - at));
  at = stop;
  if (at == end) return Defect::None;
  if (*at != '\r') return stray_in_chunk(*at, Defect::BadChunkExtension);
  ++at;
  state_ = State::SizeLf;
  return Defect::None;
}

Defect ChunkedDecoder::take_trailer(const char*& at, const char* end) {
  const std::size_t room = limits_.header + 2 - line_.size();
  const std::size_t size = std::min(room, static_cast<std::size_t>(end - at));
  const void* lf = std::memchr(at, '\n', size);
  const char* stop = lf == nullptr ? at + size : static_cast<const char*>(lf) + 1;
  const Bytes piece(at, static_cast<std::size_t>(stop - at));
  at = stop;
  if (lf == nullptr) {
    if (size == room) return Defect::HeaderTooLarge;
    line_.append(piece);
    return Defect::None;
  }
  if (line_.empty()) return end_trailer_line(piece);
  line_.append(piece);
  const Defect defect = end_trailer_line(line_.view());
  line_.clear();
  return defect;
}

// `line` with its LF.
Defect ChunkedDecoder::end_trailer_line(Bytes line) {
  if (line.size() < 2 || line[line.size() - 2] != '\r') return Defect::BareLf;
  if (line.size() == 2) {
    line_.release();
    state_ = State::Done;
    return Defect::None;
  }
  trailer_size_ += line.size();
  if (trailer_size_ > limits_.head) return Defect::HeadTooLarge;
  if (++trailer_count_ > limits_.header_count) return Defect::TooManyHeaders;

  const char* begin = line.data();
  const char* end = begin + line.size() - 2;
  if (is_space(*begin)) return Defect::ObsFold;
  const char* colon = scan_name(begin, end);
  if (colon == end || colon == begin || *colon != ':') {
    if (colon == end) return Defect::BadTrailer;
    if (is_space(*colon)) return Defect::SpaceBeforeColon;
    return *colon == '\r' ? Defect::BareCr : stray_in_chunk(*colon, Defect::BadTrailer);
  }
  const Bytes name(begin, static_cast<std::size_t>(colon - begin));
  if (is_forbidden_trailer(name)) return Defect::ForbiddenTrailer;
  const char* value = skip_space(colon + 1, end);
  const char* stop = scan_value(value, end);
  if (stop != end) return *stop == '\r' ? Defect::BareCr : stray_in_chunk(*stop, Defect::BadTrailer);
  HeadWriter(trailers_).field(name, Bytes(value, static_cast<std::size_t>(trim_space(value, end) - value)));
  return Defect::None;
}

std::size_t write_chunk_head(char* out, std::uint64_t size) {
  const std::size_t digits = size == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(size)) + 3) / 4;
  for (std::size_t i = digits; i-- > 0; size >>= 4) out[i] = "0123456789abcdef"[size & 15];
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace ballast::http

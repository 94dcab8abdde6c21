#include "wire/http/framing_reader.h"

#include <limits>

namespace ballast::http {

Finding FramingReader::take_length(const FieldLine& line) {
  if (has_length) return refused(Defect::RepeatedContentLength, line.colon);
  if (chunked) return refused(Defect::LengthAndCoding, line.colon);
  has_length = true;

  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  const char* at = line.value;
  std::uint64_t value = 0;
  for (; at < line.stop && is_digit(*at); ++at) {
    const auto digit = static_cast<std::uint64_t>(*at - '0');
    if (value > (most - digit) / 10) return refused(Defect::BadContentLength, at);
    value = value * 10 + digit;
  }
  length = value;
  padded = at - line.value > 1 && *line.value == '0';
  return settle(line, {at, at != line.value}, Defect::BadContentLength);
}

Finding FramingReader::take_coding(const FieldLine& line, int minor_version) {
  if (minor_version == 0) return refused(Defect::CodingInHttp10, line.colon);
  if (has_length) return refused(Defect::LengthAndCoding, line.colon);
  if (chunked) return refused(Defect::UnknownCoding, line.colon);
  chunked = true;

  constexpr Bytes wanted = "chunked";
  const char* at = line.value;
  std::size_t same = 0;
  while (at < line.stop && same < wanted.size() && to_lower(*at) == wanted[same]) {
    ++at;
    ++same;
  }
  return settle(line, {at, same == wanted.size()}, Defect::UnknownCoding);
}

void FramingReader::take_connection(const FieldLine& line) {
  ListReader options(value_of(line));
  for (Bytes option; options.next(option);) {
    if (iequals(option, "keep-alive")) {
      keep_alive = true;
    } else if (iequals(option, "close")) {
      close = true;
    } else if (iequals(option, "upgrade")) {
      upgrade = true;
    }
  }
}

}  // namespace ballast::http

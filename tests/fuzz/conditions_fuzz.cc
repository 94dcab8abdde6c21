// Fuzzes what a request says of the representation it wants: Range, If-*, Accept-Encoding and HTTP dates. The input is
// the lines of a request; the first two bytes choose the representation.
//
// The canary forgets that the last byte of a range is inside of it.
#include <array>
#include <cstdint>
#include <string>

#include "require.h"
#include "wire/http/accept_encoding.h"
#include "wire/http/byte_range.h"
#include "wire/http/http_date.h"
#include "wire/http/parse.h"
#include "wire/http/preconditions.h"

namespace {

using namespace ballast;
using namespace ballast::http;
using ballast::fuzz::require;

void check_ranges(Bytes value, std::uint64_t size) {
  const ByteRanges ranges = parse_ranges(value, size);
  require((ranges.answer == ByteRanges::Answer::Part) == (ranges.count > 0), "a part is of ranges");
  require(ranges.count <= ByteRanges::count_max, "only so many");
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < ranges.count; ++i) {
    const ByteRange& range = ranges.each[i];
#ifdef BALLAST_CANARY
    const std::uint64_t end = range.last() + 1 + (range.size == 7 ? 1 : 0);
#else
    const std::uint64_t end = range.last() + 1;
#endif
    require(range.size > 0 && range.first < size && end <= size, "a range is inside");
    require(range.size <= size - total, "together no more than the whole");
    total += range.size;
  }
  if (ranges.answer == ByteRanges::Answer::Unsatisfiable)
    require(value.starts_with('b') || value.starts_with('B'), "of bytes");
}

void check_date(Bytes value, std::int64_t now) {
  const auto seconds = parse_http_date(value, now);
  if (!seconds) return;
  const HttpDate text = write_http_date(*seconds);
  require(parse_http_date({text.data(), text.size()}, now) == seconds, "a date that is written is read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint64_t length = data[0] == 255 ? UINT64_MAX : data[0];
  constexpr std::int64_t now = 1'790'000'000;
  constexpr std::array<Bytes, 3> tags{"\"a\"", "W/\"a\"", ""};
  const Validators validators{.tag = tags[data[1] % tags.size()], .modified = 784'111'777, .now = now};
  const Bytes lines(reinterpret_cast<const char*>(data + 2), size - 2);
  check_ranges(lines, length);
  check_date(lines, now);

  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (const char byte : lines) text += byte == '\n' ? "\r\n" : std::string(1, byte);
  text += "\r\n\r\n";
  static RequestHead head;
  if (RequestParser::parse(text, {}, head).progress != Progress::Complete) return 0;
  const Verdict read = judge(head.fields, validators, Access::Read);
  const Verdict write = judge(head.fields, validators, Access::Write);
  require(write != Verdict::NotModified, "a write is never not modified");
  require(read != Verdict::Failed || write == Verdict::Failed, "what fails a read fails a write");
  if (head.fields.find("If-Range") == nullptr) require(range_applies(head.fields, validators), "without a condition");
  if (const Field* range = head.fields.find("Range")) check_ranges(head.fields.value(*range), length);
  constexpr std::array offered{Coding::Brotli, Coding::Gzip};
  const Coding coding = choose_coding(head.fields, offered);
  require(coding != Coding::Zstd, "only what is offered");
  require(coding == Coding::Identity || head.fields.find("Accept-Encoding") != nullptr, "only who asked");
  return 0;
}

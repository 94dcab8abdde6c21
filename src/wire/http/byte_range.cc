#include "wire/http/byte_range.h"

#include <algorithm>
#include <optional>

#include "wire/http/list.h"

namespace ballast::http {
namespace {

// What is beyond 64 bits is beyond every size: UINT64_MAX stands for it.
std::optional<std::uint64_t> parse_position(Bytes digits) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const auto add = static_cast<std::uint64_t>(digit - '0');
    if (value > (UINT64_MAX - add) / 10) return UINT64_MAX;
    value = value * 10 + add;
  }
  return value;
}

enum class Found : std::uint8_t { Malformed, Outside, Inside };

Found parse_range(Bytes spec, std::uint64_t size, ByteRange& out) {
  const std::size_t dash = spec.find('-');
  if (dash == Bytes::npos) return Found::Malformed;
  const Bytes from = spec.substr(0, dash);
  const Bytes to = spec.substr(dash + 1);
  if (from.empty()) {
    const auto suffix = parse_position(to);
    if (!suffix) return Found::Malformed;
    out.size = std::min(*suffix, size);
    out.first = size - out.size;
    return out.size == 0 ? Found::Outside : Found::Inside;
  }
  const auto first = parse_position(from);
  const auto last = to.empty() ? std::optional(UINT64_MAX) : parse_position(to);
  if (!first || !last || *last < *first) return Found::Malformed;
  if (*first >= size) return Found::Outside;
  out.first = *first;
  out.size = std::min(*last, size - 1) - *first + 1;
  return Found::Inside;
}

}  // namespace

ByteRanges parse_ranges(Bytes value, std::uint64_t size) {
  constexpr Bytes unit = "bytes=";
  ByteRanges ranges;
  if (value.size() < unit.size() || !iequals(value.substr(0, unit.size()), unit)) return ranges;
  ListReader list(value.substr(unit.size()));
  bool any = false;
  std::uint64_t total = 0;
  ByteRange range;
  for (Bytes spec; list.next(spec);) {
    any = true;
    const Found found = parse_range(spec, size, range);
    if (found == Found::Malformed) return {};
    if (found == Found::Outside) continue;
    if (ranges.count == ByteRanges::count_max || range.size > size - total) return {};
    total += range.size;
    ranges.each[ranges.count++] = range;
  }
  if (any) ranges.answer = ranges.count == 0 ? ByteRanges::Answer::Unsatisfiable : ByteRanges::Answer::Part;
  return ranges;
}

}  // namespace ballast::http

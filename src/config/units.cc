#include "config/units.h"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Split {
  std::uint64_t number = 0;
  std::string_view unit;
  std::string_view rest;
};

// The digits and the letters at the front of `text`.
Result<Split> split(std::string_view text, std::string_view whole, std::string_view noun) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0) return fail(Code::Invalid, fmt::format("{} is not a {}", quote(whole), noun));
  Split result;
  const auto parsed = std::from_chars(text.data(), text.data() + digits, result.number);
  if (parsed.ec != std::errc()) return fail(Code::Invalid, fmt::format("{} is too large a {}", quote(whole), noun));
  if (digits < text.size() && text[digits] == '.') {
    return fail(Code::Invalid, fmt::format("{} has a fraction; write a whole number of a smaller unit", quote(whole)));
  }
  std::size_t end = digits;
  while (end < text.size() && !is_digit(text[end])) ++end;
  result.unit = text.substr(digits, end - digits);
  result.rest = text.substr(end);
  return result;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> duration_units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
// A year: nothing here waits longer, and no sum of two overflows.
constexpr std::uint64_t duration_max_ms = 366ULL * 24 * 3'600'000;

constexpr std::array<Unit, 9> size_units{{{"TiB", 1ULL << 40},
                                          {"TB", 1'000'000'000'000},
                                          {"GiB", 1ULL << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", 1ULL << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", 1ULL << 10},
                                          {"KB", 1'000},
                                          {"B", 1}}};
// Signed 64-bit file offsets end here.
constexpr std::uint64_t size_max = std::numeric_limits<std::int64_t>::max();

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return Milliseconds{0};
  std::uint64_t sum = 0;
  std::size_t next_unit = 0;
  std::string_view rest = text;
  do {
    const auto part = split(rest, text, "duration");
    if (!part) return fail(part.error());
    if (part->unit.empty()) {
      return fail(Code::Invalid, fmt::format("{} has no unit; write {}s or {}ms", quote(text), crop(text), crop(text)));
    }
    std::size_t index = 0;
    while (index < duration_units.size() && duration_units[index].name != part->unit) ++index;
    if (index == duration_units.size()) {
      return fail(Code::Invalid,
                  fmt::format("{} has the unknown unit {}; units are h, m, s and ms", quote(text), quote(part->unit)));
    }
    if (index < next_unit) {
      return fail(Code::Invalid,
                  fmt::format("{} has its units out of order; write the largest first, each once", quote(text)));
    }
    next_unit = index + 1;
    const std::uint64_t factor = duration_units[index].factor;
    if (part->number > duration_max_ms / factor || (sum += part->number * factor) > duration_max_ms) {
      return fail(Code::Invalid, fmt::format("{} is too large a duration", quote(text)));
    }
    rest = part->rest;
  } while (!rest.empty());
  return Milliseconds{static_cast<std::int64_t>(sum)};
}

std::string show_duration(Milliseconds duration) {
  auto left = static_cast<std::uint64_t>(duration.count());
  if (left == 0) return "0s";
  std::string text;
  for (const Unit& unit : duration_units) {
    if (left >= unit.factor) text += fmt::format("{}{}", left / unit.factor, unit.name);
    left %= unit.factor;
  }
  return text;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto part = split(text, text, "size");
  if (!part) return fail(part.error());
  std::uint64_t factor = part->unit.empty() ? 1 : 0;
  for (const Unit& unit : size_units) {
    if (unit.name == part->unit) factor = unit.factor;
  }
  if (factor == 0 || !part->rest.empty()) {
    return fail(Code::Invalid, fmt::format("{} has the unknown unit {}; units are B, KiB, MiB, GiB, TiB (1024) and KB, "
                                           "MB, GB, TB (1000)",
                                           quote(text), quote(text.substr(text.find(part->unit)))));
  }
  if (part->number > size_max / factor) return fail(Code::Invalid, fmt::format("{} is too large a size", quote(text)));
  return part->number * factor;
}

std::string show_size(std::uint64_t bytes) {
  for (const Unit& unit : size_units) {
    if (unit.factor > 1 && bytes >= unit.factor && bytes % unit.factor == 0) {
      return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
  }
  return fmt::format("{}", bytes);
}

Result<int> parse_percent(std::string_view text) {
  const auto part = split(text, text, "percentage");
  if (!part) return fail(part.error());
  if (part->unit.empty()) {
    return fail(Code::Invalid, fmt::format("{} has no unit; write {}%", quote(text), crop(text)));
  }
  if (part->unit != "%" || !part->rest.empty()) {
    return fail(Code::Invalid, fmt::format("{} is not a percentage", quote(text)));
  }
  if (part->number > 100) return fail(Code::Invalid, fmt::format("{} is more than 100%", quote(text)));
  return static_cast<int>(part->number);
}

Result<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc::result_out_of_range) {
    return fail(Code::Invalid, fmt::format("{} is too large a number", quote(text)));
  }
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return fail(Code::Invalid, fmt::format("{} is not a whole number", quote(text)));
  }
  return number;
}

Result<std::vector<StatusRange>> parse_status_codes(std::string_view text) {
  constexpr std::size_t parts_max = 32;  // more than any application's list of successes
  const auto status = [&](std::string_view digits) -> Result<int> {
    if (digits.size() != 3 || digits[0] < '1' || digits[0] > '5' || !is_digit(digits[1]) || !is_digit(digits[2])) {
      return fail(Code::Invalid, fmt::format("{}: {} is not a status from 100 to 599", quote(text), quote(digits)));
    }
    return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  };
  std::vector<StatusRange> ranges;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = trimmed(rest.substr(0, comma));
    const std::size_t dash = part.find('-');
    const auto first = status(trimmed(part.substr(0, dash)));
    if (!first) return fail(first.error());
    const auto last = dash == std::string_view::npos ? first : status(trimmed(part.substr(dash + 1)));
    if (!last) return fail(last.error());
    if (*last < *first) {
      return fail(Code::Invalid, fmt::format("{}: the range {} ends before it starts", quote(text), quote(part)));
    }
    if (ranges.size() == parts_max) {
      return fail(Code::Invalid, fmt::format("{} has more than {} parts", quote(text), parts_max));
    }
    ranges.push_back({*first, *last});
    if (comma == std::string_view::npos) return ranges;
    rest.remove_prefix(comma + 1);
  }
}

std::string show_status_codes(const std::vector<StatusRange>& codes) {
  std::string text;
  for (const StatusRange& range : codes) {
    if (!text.empty()) text += ',';
    text += range.first == range.last ? fmt::format("{}", range.first) : fmt::format("{}-{}", range.first, range.last);
  }
  return text;
}

}  // namespace ballast::config

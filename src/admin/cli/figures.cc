#include "admin/cli/figures.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace ballast::admin {

std::string show_count(std::uint64_t count) {
  if (count >= 10'000'000'000) return fmt::format("{:.1f} G", static_cast<double>(count) / 1e9);
  if (count >= 10'000'000) return fmt::format("{:.1f} M", static_cast<double>(count) / 1e6);
  std::string digits = fmt::format("{}", count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string show_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string show_span(std::chrono::milliseconds span) {
  const std::int64_t ms = span.count() > 0 ? span.count() : 0;
  const std::int64_t seconds = ms / 1000;
  if (seconds < 1) return fmt::format("{} ms", ms);
  if (seconds < 120) return fmt::format("{} s", seconds);
  const std::int64_t minutes = seconds / 60;
  if (minutes < 120) return fmt::format("{} min", minutes);
  const std::int64_t hours = minutes / 60;
  if (hours < 48) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string show_seconds(double seconds) {
  if (seconds < 0.01) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  return fmt::format("{:.1f} s", seconds);
}

std::optional<std::chrono::system_clock::time_point> read_rfc3339(std::string_view text) {
  // "2026-11-21T10:00:00.000Z"
  if (text.size() != 24 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text[19] != '.' || text[23] != 'Z') {
    return std::nullopt;
  }
  bool valid = true;
  const auto number = [&](std::size_t at, std::size_t size) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + size, value);
    if (error != std::errc{} || end != text.data() + at + size) valid = false;
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(number(0, 4))},
                                         std::chrono::month{number(5, 2)}, std::chrono::day{number(8, 2)}};
  const unsigned hours = number(11, 2);
  const unsigned minutes = number(14, 2);
  const unsigned seconds = number(17, 2);
  const unsigned milliseconds = number(20, 3);
  if (!valid || !date.ok() || hours > 23 || minutes > 59 || seconds > 60) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hours} + std::chrono::minutes{minutes} +
         std::chrono::seconds{seconds} + std::chrono::milliseconds{milliseconds};
}

}  // namespace ballast::admin

#include "wire/http/http_date.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "wire/http/octets.h"

namespace ballast::http {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> short_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t day_seconds = 86400;
constexpr std::int64_t first_second = -62'167'219'200;  // 0000-01-01
constexpr std::int64_t last_second = 253'402'300'799;   // 9999-12-31 23:59:59

int year_of(std::int64_t seconds) {
  const std::int64_t days = (seconds >= 0 ? seconds : seconds - day_seconds + 1) / day_seconds;
  return static_cast<int>(year_month_day(sys_days(std::chrono::days(days))).year());
}

// Takes a date apart from the left; once something does not fit it stays failed.
class DateReader {
 public:
  explicit DateReader(Bytes text) : left_(text) {}

  void literal(std::string_view expected) {
    good_ = good_ && left_.starts_with(expected);
    if (good_) left_.remove_prefix(expected.size());
  }
  template <std::size_t Size>
  unsigned word(const std::array<std::string_view, Size>& words) {
    for (unsigned i = 0; good_ && i < Size; ++i) {
      if (!left_.starts_with(words[i])) continue;
      left_.remove_prefix(words[i].size());
      return i;
    }
    good_ = false;
    return 0;
  }
  unsigned digits(std::size_t count) {
    unsigned value = 0;
    good_ = good_ && left_.size() >= count;
    for (std::size_t i = 0; good_ && i < count; ++i) {
      good_ = is_digit(left_[i]);
      value = value * 10 + static_cast<unsigned>(left_[i] - '0');
    }
    if (good_) left_.remove_prefix(count);
    return value;
  }
  void time() {
    hour_ = digits(2);
    literal(":");
    minute_ = digits(2);
    literal(":");
    second_ = digits(2);
  }
  bool starts_with(std::string_view text) const { return left_.starts_with(text); }

  std::optional<std::int64_t> finish(int year, unsigned month, unsigned day) const {
    const year_month_day date{std::chrono::year(year), std::chrono::month(month + 1), std::chrono::day(day)};
    if (!good_ || !left_.empty() || !date.ok() || hour_ > 23 || minute_ > 59 || second_ > 60) return std::nullopt;
    return sys_days(date).time_since_epoch().count() * day_seconds + hour_ * 3600 + minute_ * 60 + second_;
  }

 private:
  Bytes left_;
  bool good_ = true;
  unsigned hour_ = 0;
  unsigned minute_ = 0;
  unsigned second_ = 0;
};

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_fixed(Bytes text) {
  DateReader reader(text);
  reader.word(short_days);
  reader.literal(", ");
  const unsigned day = reader.digits(2);
  reader.literal(" ");
  const unsigned month = reader.word(months);
  reader.literal(" ");
  const unsigned year = reader.digits(4);
  reader.literal(" ");
  reader.time();
  reader.literal(" GMT");
  return reader.finish(static_cast<int>(year), month, day);
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::int64_t> parse_rfc850(Bytes text, std::int64_t now) {
  DateReader reader(text);
  reader.word(long_days);
  reader.literal(", ");
  const unsigned day = reader.digits(2);
  reader.literal("-");
  const unsigned month = reader.word(months);
  reader.literal("-");
  const unsigned short_year = reader.digits(2);
  reader.literal(" ");
  reader.time();
  reader.literal(" GMT");
  const int this_year = year_of(std::clamp(now, first_second, last_second));
  int year = this_year - this_year % 100 + static_cast<int>(short_year);
  if (year > this_year + 50) year -= 100;
  return reader.finish(year, month, day);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(Bytes text) {
  DateReader reader(text);
  reader.word(short_days);
  reader.literal(" ");
  const unsigned month = reader.word(months);
  reader.literal(" ");
  const bool padded = reader.starts_with(" ");
  if (padded) reader.literal(" ");
  const unsigned day = reader.digits(padded ? 1 : 2);
  reader.literal(" ");
  reader.time();
  reader.literal(" ");
  const unsigned year = reader.digits(4);
  return reader.finish(static_cast<int>(year), month, day);
}

}  // namespace

HttpDate write_http_date(std::int64_t seconds) {
  const std::int64_t bounded = std::clamp(seconds, first_second, last_second);
  const std::int64_t days = (bounded >= 0 ? bounded : bounded - day_seconds + 1) / day_seconds;
  const auto in_day = static_cast<unsigned>(bounded - days * day_seconds);
  const sys_days day{std::chrono::days(days)};
  const year_month_day date(day);
  const unsigned week_day = std::chrono::weekday(day).c_encoding();

  HttpDate text;
  char* at = text.data();
  const auto put = [&at](std::string_view piece) { at = std::copy(piece.begin(), piece.end(), at); };
  const auto put_number = [&at](unsigned value, int width) {
    for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
    at += width;
  };
  put(short_days[week_day]);
  put(", ");
  put_number(static_cast<unsigned>(date.day()), 2);
  put(" ");
  put(months[static_cast<unsigned>(date.month()) - 1]);
  put(" ");
  put_number(static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(" ");
  put_number(in_day / 3600, 2);
  put(":");
  put_number(in_day / 60 % 60, 2);
  put(":");
  put_number(in_day % 60, 2);
  put(" GMT");
  return text;
}

std::optional<std::int64_t> parse_http_date(Bytes text, std::int64_t now) {
  constexpr std::size_t shortest = 24;
  if (text.size() < shortest) return std::nullopt;
  if (text[3] == ',') return parse_fixed(text);
  if (text[3] == ' ') return parse_asctime(text);
  return parse_rfc850(text, now);
}

}  // namespace ballast::http

#include "admin/metrics/exposition.h"

#include <iterator>

#include <fmt/format.h>

namespace ballast::admin {

namespace {

// Length of the UTF-8 sequence `text` begins with; 0 where it is not one (RFC 3629, section 4).
std::size_t sequence_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

std::string escaped_label(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = sequence_size(text);
    if (size == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    switch (text[0]) {
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += text.substr(0, size);
        break;
    }
    text.remove_prefix(size);
  }
  return out;
}

void Exposition::family(std::string_view name, MetricType type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, to_string(type));
}

void Exposition::series(std::string_view suffix, Labels labels, std::string_view le) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  const auto put = [&](std::string_view name, std::string_view value) {
    text_ += separator;
    separator = ',';
    text_ += name;
    text_ += "=\"";
    text_ += escaped_label(value);
    text_ += '"';
  };
  for (const Label& label : labels) put(label.name, label.value);
  if (!le.empty()) put("le", le);
  if (separator == ',') text_ += '}';
  text_ += ' ';
}

void Exposition::sample(Labels labels, std::uint64_t value) {
  series("", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::sample(Labels labels, double value) {
  series("", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::histogram(Labels labels, const Histogram& histogram) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
    total += histogram.buckets[i];
    const std::string le =
        i < Histogram::bounds_us.size() ? fmt::format("{}", Histogram::bounds_us[i] / 1e6) : std::string("+Inf");
    series("_bucket", labels, le);
    fmt::format_to(std::back_inserter(text_), "{}\n", total);
  }
  series("_sum", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", static_cast<double>(histogram.sum_us) / 1e6);
  series("_count", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", total);
}

}  // namespace ballast::admin

// Exposition: writes the Prometheus text format (version 0.0.4): families in order, each with its HELP, TYPE and
// samples.
//
// A value on the stack of whoever renders a page; appends to a string it owns. Label values may be anything: they are
// escaped, and bytes that are not UTF-8 are replaced, because one bad label would make a scraper refuse the whole page.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/histogram.h"

namespace ballast::admin {

enum class MetricType : std::uint8_t { Counter, Gauge, Histogram };

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  // Begins a family; all samples up to the next family() are of this one. `name` lives until then.
  void family(std::string_view name, MetricType type, std::string_view help);
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  // Buckets in seconds, cumulative, with _sum and _count. The count is that of the buckets: they are read while
  // workers write, and a count that differs from the last bucket would be refused.
  void histogram(Labels labels, const Histogram& histogram);

  std::string take() { return std::move(text_); }

 private:
  void series(std::string_view suffix, Labels labels, std::string_view le);

  std::string text_;
  std::string_view name_;
};

// `text` with backslash, quote and line feed escaped, and what is not UTF-8 replaced by U+FFFD.
std::string escaped_label(std::string_view text);

}  // namespace ballast::admin

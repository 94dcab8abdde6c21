#include "admin/metrics/exposition.h"

#include <gtest/gtest.h>

namespace ballast::admin {
namespace {

TEST(Exposition, EscapesLabels) {
  struct Case {
    std::string_view text;
    std::string_view wanted;
  };
  const Case cases[] = {
      {"plain", "plain"},
      {"", ""},
      {"a\"b\\c\nd", "a\\\"b\\\\c\\nd"},
      {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
      {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
      {"x\xFFy", "x\xEF\xBF\xBDy"},
      {"\xC3", "\xEF\xBF\xBD"},
      {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong NUL
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // a surrogate
      {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // cut
  };
  for (const Case& c : cases) EXPECT_EQ(escaped_label(c.text), c.wanted) << c.text;
}

TEST(Exposition, WritesFamilies) {
  Exposition out;
  out.family("a_total", MetricType::Counter, "Help.");
  out.sample({{"x", "1"}, {"y", "2"}}, std::uint64_t{18446744073709551615U});
  out.family("b", MetricType::Gauge, "Other.");
  out.sample({}, 0.5);
  EXPECT_EQ(out.take(),
            "# HELP a_total Help.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 18446744073709551615\n"
            "# HELP b Other.\n# TYPE b gauge\nb 0.5\n");
}

TEST(Exposition, HistogramIsCumulativeInSeconds) {
  Histogram histogram;
  histogram.add(std::chrono::microseconds(100));
  histogram.add(std::chrono::microseconds(101));
  histogram.add(std::chrono::seconds(100));
  histogram.count = 7;  // as read between two writes of a worker
  Exposition out;
  out.family("d_seconds", MetricType::Histogram, "Durations.");
  out.histogram({{"listener", "web"}}, histogram);
  const std::string page = out.take();
  EXPECT_NE(page.find("d_seconds_bucket{listener=\"web\",le=\"0.0001\"} 1\n"), std::string::npos) << page;
  EXPECT_NE(page.find("d_seconds_bucket{listener=\"web\",le=\"0.00025\"} 2\n"), std::string::npos) << page;
  EXPECT_NE(page.find("d_seconds_bucket{listener=\"web\",le=\"60\"} 2\n"), std::string::npos) << page;
  EXPECT_NE(page.find("d_seconds_bucket{listener=\"web\",le=\"+Inf\"} 3\n"), std::string::npos) << page;
  EXPECT_NE(page.find("d_seconds_sum{listener=\"web\"} 100.000201\n"), std::string::npos) << page;
  EXPECT_NE(page.find("d_seconds_count{listener=\"web\"} 3\n"), std::string::npos) << page;
}

}  // namespace
}  // namespace ballast::admin

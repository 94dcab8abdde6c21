#include "admin/metrics/prometheus.h"

#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "admin/fake_service.h"

namespace ballast::admin {
namespace {

TEST(Prometheus, ShowsWhatTheStatusSays) {
  const std::string page = prometheus_page(sample_status());
  const char* const lines[] = {
      "ballast_build_info{version=\"0.1.0\"} 1\n",
      "ballast_config_generation 7\n",
      "ballast_listener_requests_total{listener=\"web\"} 1200\n",
      "ballast_listener_responses_total{listener=\"web\",class=\"2xx\"} 1100\n",
      "ballast_listener_responses_total{listener=\"web\",class=\"5xx\"} 12\n",
      "ballast_listener_open_connections{listener=\"web\"} 9\n",
      "ballast_listener_defects_total{listener=\"web\",defect=\"bare_lf\",class=\"ambiguous\"} 3\n",
      "ballast_listener_errors_total{listener=\"web\",reason=\"no_target\"} 2\n",
      "ballast_group_errors_total{group=\"site\",reason=\"connect_failed\"} 4\n",
      "ballast_group_failing_open{group=\"site\"} 0\n",
      "ballast_group_ejected_targets{group=\"site\"} 0\n",
      "ballast_target_ejections_total{group=\"site\",target=\"10.0.0.12:8080\",cause=\"errors\"} 3\n",
      "ballast_target_ejections_total{group=\"site\",target=\"10.0.0.12:8080\",cause=\"success_rate\"} 0\n",
      "ballast_target_passive_weight{group=\"site\",target=\"10.0.0.12:8080\"} 0.25\n",
      "ballast_group_healthy_targets{group=\"site\"} 1\n",
      "ballast_target_health{group=\"site\",target=\"10.0.0.12:8080\",state=\"unhealthy\"} 1\n",
      "ballast_target_health{group=\"site\",target=\"10.0.0.12:8080\",state=\"healthy\"} 0\n",
      "ballast_target_weight{group=\"site\",target=\"10.0.0.12:8080\"} 2\n",
      "ballast_target_health_checks_total{group=\"site\",target=\"10.0.0.12:8080\",result=\"failed\"} 5\n",
      "ballast_rate_limit_requests_total{listener=\"web\",rule=\"login\",limit=\"guesses\",result=\"limited\"} 4\n",
      "ballast_rate_limit_requests_total{listener=\"web\",rule=\"login\",limit=\"guesses\",result=\"reported\"} 0\n",
      "ballast_rate_limit_displaced_keys_total{listener=\"web\",rule=\"login\",limit=\"guesses\"} 1\n",
      "ballast_listener_uncounted_connections_total{listener=\"web\"} 6\n",
      "ballast_kernel_tls 0\n",
      "ballast_kernel_tls_connections_total{result=\"taken\"} 3\n",
      "ballast_kernel_tls_connections_total{result=\"refused\"} 1\n",
      "process_open_fds 40\n",
  };
  for (const char* line : lines) EXPECT_NE(page.find(line), std::string::npos) << line;
  EXPECT_EQ(page.find("ballast_listener_responses_total{listener=\"gateway\""), std::string::npos) << "tcp has none";
}

// Each series once, each family once and in one piece: what a scraper insists on.
TEST(Prometheus, NoSeriesTwice) {
  model::Status status = sample_status();
  model::TargetStatus again = status.groups[0].targets[0];
  status.groups[0].targets[0].state = model::TargetState::Draining;
  again.weight = 77;
  status.groups[0].targets.push_back(again);
  std::istringstream page(prometheus_page(status));
  std::set<std::string> series;
  std::set<std::string> families;
  std::string family;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << line;
    } else if (!line.starts_with("#")) {
      EXPECT_TRUE(line.starts_with(family)) << line;
      EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
  }
  EXPECT_GT(families.size(), 40U);
  EXPECT_TRUE(prometheus_page(status).find("ballast_target_weight{group=\"site\",target=\"10.0.0.11:8080\"} 77\n") !=
              std::string::npos)
      << "of a target that drains and is there anew, the new one is shown";
}

TEST(Prometheus, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  model::Status status = sample_status();
  status.groups[0].name = "odd \"name\"\\ \xFF";
  std::FILE* tool = popen("promtool check metrics", "w");
  ASSERT_NE(tool, nullptr);
  const std::string page = prometheus_page(status);
  EXPECT_EQ(std::fwrite(page.data(), 1, page.size(), tool), page.size());
  EXPECT_EQ(pclose(tool), 0) << "promtool check metrics complains, see above";
}

}  // namespace
}  // namespace ballast::admin

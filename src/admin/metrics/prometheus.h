// The page a Prometheus server scrapes: model::Status in the text exposition format, clean under `promtool check
// metrics`.
//
// A pure function, called on the control thread for GET /metrics. Its size is bounded by the configuration: labels are
// names of listeners, groups, targets and reason codes, never anything a client sent. What each metric means:
// docs/guide/metrics.md.
#pragma once

#include <string>
#include <string_view>

#include "model/status.h"

namespace ballast::admin {

inline constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

std::string prometheus_page(const model::Status& status);

}  // namespace ballast::admin

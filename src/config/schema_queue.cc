// The schema of what bounds the requests at a target, and of how others wait.
#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/units.h"

namespace ballast::config {

using namespace std::chrono_literals;

Value<Queue> queue_kind() {
  return section<Queue>({
      .name = "queue",
      .title = "Queue of a target group",
      .doc = "How requests wait while every target has `target_requests_max`: those of rules with a high `priority` "
             "first, then in the order of their coming.",
      .properties =
          {
              {.name = "length",
               .doc = "How many may wait; further ones are refused (503, `queue_full`). 0: nobody waits (503, "
                      "`targets_full`).",
               .example = "500",
               .value = field(&Queue::length, integer({.min = 0, .max = 100'000}))},
              {.name = "timeout",
               .doc = "How long one may wait; longer: 503, `queue_timeout`.",
               .example = "10s",
               .value = field(&Queue::timeout, duration({.min = 10ms, .max = 10min}))},
          },
  });
}

Value<Priority> priority_kind() {
  return one_of<Priority>({
      {"high", Priority::High, "before all others"},
      {"normal", Priority::Normal, "in the order of their coming"},
      {"low", Priority::Low, "while nobody else waits"},
  });
}

void finish_queue(const TargetGroup& group, const Node& node, Decoder& decoder) {
  if (group.target_requests_max != 0 && !is_http(group.protocol)) {
    decoder.error(node.mark_of("target_requests_max"),
                  fmt::format("a {} group sees no requests", to_string(group.protocol)),
                  "target_connections_max, which counts connections");
  }
  if (group.target_requests_max == 0 && node.find("queue")) {
    decoder.warning(node.mark_of("queue"), "queue has no effect: nobody waits without target_requests_max");
  }
  if (group.retries.timeout.count() != 0 && group.retries.timeout >= group.timeouts.header) {
    const Node* retries = node.find("retries");
    decoder.warning(retries != nullptr ? retries->mark_of("timeout") : group.mark,
                    "retries.timeout has no effect: it is not shorter than timeouts.header");
  }
}

}  // namespace ballast::config

#include "admin/metrics/prometheus.h"

#include <array>
#include <map>
#include <vector>

#include "admin/metrics/exposition.h"
#include "wire/grpc/status.h"

namespace ballast::admin {

namespace {

using model::GroupStatus;
using model::ListenerStatus;
using model::Status;
using model::TargetState;
using model::TargetStatus;

constexpr std::array<std::string_view, 5> class_names{"1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array target_states{TargetState::Initial,  TargetState::Healthy, TargetState::Unhealthy,
                                   TargetState::Draining, TargetState::Unused,  TargetState::Unavailable};

double seconds(model::WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// Those that have occurred: most never do.
template <typename Visit>
void each_call_status(const model::Traffic& traffic, Visit visit) {
  for (std::size_t i = 0; i < traffic.calls.size(); ++i) {
    if (traffic.calls[i] != 0) visit(to_string(static_cast<grpc::Status>(i)), traffic.calls[i]);
  }
}

// Layer 4 has no responses; their zeros would only say that nothing is ever answered.
bool has_responses(std::string_view protocol) {
  return protocol != "tcp" && protocol != "tls" && protocol != "udp";
}

void listeners(Exposition& out, const Status& status) {
  const auto counter = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, MetricType::Counter, help);
    for (const ListenerStatus& l : status.listeners) out.sample({{"listener", l.name}}, std::uint64_t{value(l)});
  };
  const auto gauge = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, MetricType::Gauge, help);
    for (const ListenerStatus& l : status.listeners) out.sample({{"listener", l.name}}, std::uint64_t{value(l)});
  };
  const auto reasons = [&](std::string_view name, std::string_view help, std::string_view label, auto&& counts) {
    out.family(name, MetricType::Counter, help);
    for (const ListenerStatus& l : status.listeners) {
      for (const model::Count& c : counts(l)) out.sample({{"listener", l.name}, {label, c.reason}}, c.count);
    }
  };

  out.family("ballast_listener_info", MetricType::Gauge, "What a listener is bound to; always 1.");
  for (const ListenerStatus& l : status.listeners) {
    out.sample({{"listener", l.name}, {"address", l.address}, {"protocol", l.protocol}}, std::uint64_t{1});
  }
  counter("ballast_listener_requests_total",
          "Requests received; of a tcp listener, connections relayed; of a udp listener, flows ended.",
          [](const ListenerStatus& l) { return l.traffic.requests; });
  out.family("ballast_listener_responses_total", MetricType::Counter, "Responses sent to clients, by status class.");
  for (const ListenerStatus& l : status.listeners) {
    if (!has_responses(l.protocol)) continue;
    for (std::size_t i = 0; i < class_names.size(); ++i) {
      out.sample({{"listener", l.name}, {"class", class_names[i]}}, l.traffic.responses[i]);
    }
  }
  counter("ballast_listener_received_bytes_total", "Bytes received from clients.",
          [](const ListenerStatus& l) { return l.traffic.bytes_in; });
  counter("ballast_listener_sent_bytes_total", "Bytes sent to clients.",
          [](const ListenerStatus& l) { return l.traffic.bytes_out; });
  reasons("ballast_listener_faults_total", "Requests that a rule's fault was made for, by what was done.", "done",
          [](const ListenerStatus& l) -> const auto& { return l.faults; });
  reasons("ballast_listener_mirrors_total", "Copies of requests for other groups, by what became of them.", "done",
          [](const ListenerStatus& l) -> const auto& { return l.mirrors; });
  out.family("ballast_listener_maintenance", MetricType::Gauge, "1: the listener is under maintenance.");
  for (const ListenerStatus& l : status.listeners) out.sample({{"listener", l.name}}, std::uint64_t{l.maintenance});
  reasons("ballast_listener_udp_drops_total", "Datagrams that went no further, by why.", "why",
          [](const ListenerStatus& l) -> const auto& { return l.udp_drops; });
  const auto datagrams = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, MetricType::Counter, help);
    for (const ListenerStatus& l : status.listeners) {
      if (l.protocol == "udp") out.sample({{"listener", l.name}}, std::uint64_t{value(l)});
    }
  };
  datagrams("ballast_listener_received_datagrams_total", "Datagrams received from clients.",
            [](const ListenerStatus& l) { return l.traffic.datagrams_in; });
  datagrams("ballast_listener_sent_datagrams_total", "Datagrams of targets, sent to clients.",
            [](const ListenerStatus& l) { return l.traffic.datagrams_out; });
  gauge("ballast_listener_in_flight", "Requests (tcp: connections, udp: flows) under way.",
        [](const ListenerStatus& l) { return l.traffic.in_flight; });
  out.family("ballast_listener_request_duration_seconds", MetricType::Histogram,
             "Time from the first byte of a request to the last of its response; tcp: of whole connections.");
  for (const ListenerStatus& l : status.listeners) out.histogram({{"listener", l.name}}, l.traffic.duration);
  gauge("ballast_listener_open_connections", "Client connections open now.",
        [](const ListenerStatus& l) { return l.connections; });
  counter("ballast_listener_connections_total", "Client connections accepted.",
          [](const ListenerStatus& l) { return l.connections_total; });
  counter("ballast_listener_connections_refused_total", "Client connections refused over the listener's limit.",
          [](const ListenerStatus& l) { return l.connections_refused; });
  const auto defects = [&](std::string_view name, std::string_view help, auto&& counts) {
    out.family(name, MetricType::Counter, help);
    for (const ListenerStatus& l : status.listeners) {
      for (const model::Count& c : counts(l)) {
        out.sample({{"listener", l.name}, {"defect", c.reason}, {"class", c.defect_class}}, c.count);
      }
    }
  };
  defects("ballast_listener_defects_total", "Requests refused as malformed, by defect and its class.",
          [](const ListenerStatus& l) -> const auto& { return l.defects; });
  defects("ballast_listener_defects_passed_total", "Requests with a defect that were served all the same (desync).",
          [](const ListenerStatus& l) -> const auto& { return l.defects_passed; });
  counter("ballast_listener_http2_connections_total", "HTTP/2 connections made.",
          [](const ListenerStatus& l) { return l.http2_connections; });
  reasons("ballast_listener_http2_defects_total", "HTTP/2 connections ended for what the client did, by defect.",
          "defect", [](const ListenerStatus& l) -> const auto& { return l.http2_defects; });
  reasons("ballast_listener_errors_total", "Error responses the balancer made itself, by reason.", "reason",
          [](const ListenerStatus& l) -> const auto& { return l.errors; });
  reasons("ballast_listener_tls_handshakes_total", "TLS handshakes with clients, by how they ended.", "end",
          [](const ListenerStatus& l) -> const auto& { return l.handshakes; });
}

void certificates(Exposition& out, const Status& status) {
  out.family("ballast_certificate_expires_timestamp_seconds", MetricType::Gauge,
             "When the certificate, or one of its chain, expires.");
  for (const model::CertificateStatus& c : status.certificates) {
    out.sample({{"listener", c.listener}, {"file", c.file}}, seconds(c.not_after));
  }
  out.family("ballast_certificate_stale", MetricType::Gauge,
             "1 while its files have changed and their new content cannot be used.");
  for (const model::CertificateStatus& c : status.certificates) {
    out.sample({{"listener", c.listener}, {"file", c.file}}, std::uint64_t{c.problem.empty() ? 0U : 1U});
  }
}

// Of the listener itself where the rule is empty.
void rate_limits(Exposition& out, const Status& status) {
  if (!status.rate_limits.empty()) {
    out.family("ballast_rate_limit_requests_total", MetricType::Counter,
               "Requests that a limit of rate was asked for, by what became of them.");
    for (const model::RateLimitStatus& r : status.rate_limits) {
      const auto sample = [&](std::string_view result, std::uint64_t count) {
        out.sample({{"listener", r.listener}, {"rule", r.rule}, {"limit", r.name}, {"result", result}}, count);
      };
      sample("admitted", r.admitted);
      sample("limited", r.limited);
      sample("reported", r.reported);
    }
    out.family("ballast_rate_limit_displaced_keys_total", MetricType::Counter,
               "Clients or other keys that a limit forgot before their time, for want of room.");
    for (const model::RateLimitStatus& r : status.rate_limits) {
      out.sample({{"listener", r.listener}, {"rule", r.rule}, {"limit", r.name}}, r.displaced);
    }
  }
  if (status.uncounted_connections.empty()) return;
  out.family("ballast_listener_uncounted_connections_total", MetricType::Counter,
             "Connections that were not counted for their address, for want of room.");
  for (const model::Count& c : status.uncounted_connections) out.sample({{"listener", c.reason}}, c.count);
}

// By the first of their names.
void acme(Exposition& out, const Status& status) {
  if (status.acme.empty()) return;
  out.family("ballast_acme_expires_timestamp_seconds", MetricType::Gauge,
             "When the certificate obtained by ACME expires; 0: there is none yet.");
  for (const model::AcmeStatus& a : status.acme) out.sample({{"name", a.names.front()}}, seconds(a.not_after));
  out.family("ballast_acme_next_timestamp_seconds", MetricType::Gauge, "When it is ordered next.");
  for (const model::AcmeStatus& a : status.acme) out.sample({{"name", a.names.front()}}, seconds(a.next));
  out.family("ballast_acme_failures", MetricType::Gauge, "Orders that have failed since the last success.");
  for (const model::AcmeStatus& a : status.acme) out.sample({{"name", a.names.front()}}, a.failures);
  out.family("ballast_acme_orders_total", MetricType::Counter, "Orders made by this process, by how they ended.");
  for (const model::AcmeStatus& a : status.acme) {
    out.sample({{"name", a.names.front()}, {"end", "obtained"}}, a.obtained_total);
    out.sample({{"name", a.names.front()}, {"end", "failed"}}, a.failed_total);
  }
}

void groups(Exposition& out, const Status& status) {
  const auto counter = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, MetricType::Counter, help);
    for (const GroupStatus& g : status.groups) out.sample({{"group", g.name}}, std::uint64_t{value(g)});
  };
  const auto gauge = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, MetricType::Gauge, help);
    for (const GroupStatus& g : status.groups) out.sample({{"group", g.name}}, static_cast<std::uint64_t>(value(g)));
  };

  out.family("ballast_group_info", MetricType::Gauge, "A target group's protocol and algorithm; always 1.");
  for (const GroupStatus& g : status.groups) {
    out.sample({{"group", g.name}, {"protocol", g.protocol}, {"algorithm", g.algorithm}}, std::uint64_t{1});
  }
  counter("ballast_group_requests_total", "Requests forwarded to the group; tcp: connections relayed.",
          [](const GroupStatus& g) { return g.traffic.requests; });
  out.family("ballast_group_responses_total", MetricType::Counter,
             "Responses sent to clients for requests of the group, by status class.");
  for (const GroupStatus& g : status.groups) {
    if (!has_responses(g.protocol)) continue;
    for (std::size_t i = 0; i < class_names.size(); ++i) {
      out.sample({{"group", g.name}, {"class", class_names[i]}}, g.traffic.responses[i]);
    }
  }
  out.family("ballast_group_grpc_calls_total", MetricType::Counter,
             "gRPC calls of the group, by the grpc-status that clients were told.");
  for (const GroupStatus& g : status.groups) {
    each_call_status(g.traffic, [&](std::string_view name, std::uint64_t count) {
      out.sample({{"group", g.name}, {"grpc_status", name}}, count);
    });
  }
  counter("ballast_group_received_bytes_total", "Bytes received from clients for the group.",
          [](const GroupStatus& g) { return g.traffic.bytes_in; });
  counter("ballast_group_sent_bytes_total", "Bytes sent to clients from the group.",
          [](const GroupStatus& g) { return g.traffic.bytes_out; });
  gauge("ballast_group_in_flight", "Requests (tcp: connections) of the group under way.",
        [](const GroupStatus& g) { return g.traffic.in_flight; });
  out.family("ballast_group_request_duration_seconds", MetricType::Histogram,
             "Duration of the group's requests; tcp: of whole connections.");
  for (const GroupStatus& g : status.groups) out.histogram({{"group", g.name}}, g.traffic.duration);
  counter("ballast_group_retries_total", "Requests sent to another target after a failure.",
          [](const GroupStatus& g) { return g.retries; });
  counter("ballast_group_retries_refused_total", "Retries not made because the retry budget was spent.",
          [](const GroupStatus& g) { return g.retries_refused; });
  counter("ballast_group_stale_connection_replays_total",
          "Requests sent again because a pooled connection had been closed by the target.",
          [](const GroupStatus& g) { return g.stale_replays; });
  counter("ballast_group_sticky_requests_total", "Requests whose cookie named a target of the group.",
          [](const GroupStatus& g) { return g.sticky_requests; });
  counter("ballast_group_sticky_moved_total", "Of those, answered by another target, since theirs could not take them.",
          [](const GroupStatus& g) { return g.sticky_moved; });
  gauge("ballast_group_queue_length", "Requests that wait for a place at a target of the group.",
        [](const GroupStatus& g) { return g.waiting; });
  counter("ballast_group_queued_total", "Requests that have waited for a place at a target of the group.",
          [](const GroupStatus& g) { return g.queued; });
  out.family("ballast_group_queue_seconds_total", MetricType::Counter, "How long they have waited, together.");
  for (const GroupStatus& g : status.groups)
    out.sample({{"group", g.name}}, std::chrono::duration<double>(g.queue_wait).count());
  out.family("ballast_group_errors_total", MetricType::Counter, "Failures of the group's requests, by reason.");
  for (const GroupStatus& g : status.groups) {
    for (const model::Count& c : g.errors) out.sample({{"group", g.name}, {"reason", c.reason}}, c.count);
  }
  const auto defects = [&](std::string_view name, std::string_view help, auto&& counts) {
    out.family(name, MetricType::Counter, help);
    for (const GroupStatus& g : status.groups) {
      for (const model::Count& c : counts(g)) {
        out.sample({{"group", g.name}, {"defect", c.reason}, {"class", c.defect_class}}, c.count);
      }
    }
  };
  defects("ballast_group_response_defects_total", "Responses of targets refused as malformed, by defect and its class.",
          [](const GroupStatus& g) -> const auto& { return g.defects; });
  defects("ballast_group_response_defects_passed_total",
          "Responses with a defect that were passed on all the same (desync).",
          [](const GroupStatus& g) -> const auto& { return g.defects_passed; });
  gauge("ballast_group_targets", "Targets of the group, in any state.",
        [](const GroupStatus& g) { return g.targets.size(); });
  gauge("ballast_group_healthy_targets", "Targets of the group that are healthy.",
        [](const GroupStatus& g) { return g.healthy < 0 ? 0 : g.healthy; });
  gauge("ballast_group_ejected_targets", "Targets of the group that are out for what requests met at them.",
        [](const GroupStatus& g) { return g.ejected; });
  gauge("ballast_group_failing_open", "1 while too few targets are healthy and all of them are used.",
        [](const GroupStatus& g) { return g.failing_open ? 1 : 0; });
}

struct Member {
  const GroupStatus& group;
  const TargetStatus& target;
};

// A target that was removed and added again is there twice while the old one drains. A page with the same series twice
// would be refused, so of one address the one in service is shown.
std::vector<Member> members(const Status& status) {
  std::vector<Member> out;
  for (const GroupStatus& group : status.groups) {
    std::map<std::string_view, const TargetStatus*> shown;
    for (const TargetStatus& target : group.targets) {
      const TargetStatus*& one = shown[target.address];
      if (one == nullptr || one->state == TargetState::Draining) one = &target;
    }
    for (const TargetStatus& target : group.targets) {
      if (shown[target.address] == &target) out.push_back({group, target});
    }
  }
  return out;
}

void targets(Exposition& out, const Status& status) {
  const std::vector<Member> all = members(status);
  const auto each_target = [&](auto&& visit) {
    for (const Member& member : all) visit(member.group, member.target);
  };
  const auto family = [&](std::string_view name, MetricType type, std::string_view help, auto&& value) {
    out.family(name, type, help);
    each_target([&](const GroupStatus& g, const TargetStatus& t) {
      out.sample({{"group", g.name}, {"target", t.address}}, value(t));
    });
  };
  using T = const TargetStatus&;
  constexpr auto counter = MetricType::Counter;
  constexpr auto gauge = MetricType::Gauge;

  family("ballast_target_requests_total", counter, "Requests sent to the target; tcp: connections relayed.",
         [](T t) { return t.traffic.requests; });
  out.family("ballast_target_responses_total", counter, "Responses of the target, by status class.");
  each_target([&](const GroupStatus& g, T t) {
    if (!has_responses(g.protocol)) return;
    for (std::size_t i = 0; i < class_names.size(); ++i) {
      out.sample({{"group", g.name}, {"target", t.address}, {"class", class_names[i]}}, t.traffic.responses[i]);
    }
  });
  out.family("ballast_target_grpc_calls_total", counter, "gRPC calls that ended with the target, by grpc-status.");
  each_target([&](const GroupStatus& g, T t) {
    each_call_status(t.traffic, [&](std::string_view name, std::uint64_t count) {
      out.sample({{"group", g.name}, {"target", t.address}, {"grpc_status", name}}, count);
    });
  });
  family("ballast_target_received_bytes_total", counter, "Bytes received from clients for the target.",
         [](T t) { return t.traffic.bytes_in; });
  family("ballast_target_sent_bytes_total", counter, "Bytes sent to clients from the target.",
         [](T t) { return t.traffic.bytes_out; });
  const auto datagrams = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, MetricType::Counter, help);
    each_target([&](const GroupStatus& g, T t) {
      if (g.protocol == "udp") out.sample({{"group", g.name}, {"target", t.address}}, std::uint64_t{value(t)});
    });
  };
  datagrams("ballast_target_received_datagrams_total", "Datagrams of clients, sent to the target.",
            [](T t) { return t.traffic.datagrams_in; });
  datagrams("ballast_target_sent_datagrams_total", "Datagrams received from the target.",
            [](T t) { return t.traffic.datagrams_out; });
  family("ballast_target_in_flight", gauge, "Requests (tcp: connections) the target is working on.",
         [](T t) { return t.traffic.in_flight; });
  out.family("ballast_target_request_duration_seconds", MetricType::Histogram,
             "Duration of the requests the target served; tcp: of whole connections.");
  each_target([&](const GroupStatus& g, T t) {
    out.histogram({{"group", g.name}, {"target", t.address}}, t.traffic.duration);
  });
  out.family("ballast_target_health", gauge, "1 for the state the target is in, 0 for the others.");
  each_target([&](const GroupStatus& g, T t) {
    for (const TargetState state : target_states) {
      out.sample({{"group", g.name}, {"target", t.address}, {"state", to_string(state)}},
                 std::uint64_t{t.state == state ? 1U : 0U});
    }
  });
  family("ballast_target_weight", gauge, "Weight, as configured or set by the operator.",
         [](T t) { return static_cast<double>(t.weight); });
  family("ballast_target_effective_weight", gauge, "Weight in force now, after slow start and outliers.",
         [](T t) { return t.effective_weight; });
  family("ballast_target_passive_weight", gauge, "The share of its weight that is left to a target (outliers).",
         [](T t) { return t.passive_weight; });
  out.family("ballast_target_ejections_total", counter, "Times the target was ejected for its requests, by cause.");
  each_target([&](const GroupStatus& g, T t) {
    out.sample({{"group", g.name}, {"target", t.address}, {"cause", "errors"}}, t.ejections_errors);
    out.sample({{"group", g.name}, {"target", t.address}, {"cause", "success_rate"}}, t.ejections_success_rate);
  });
  family("ballast_target_connects_total", counter, "Connections opened to the target.", [](T t) { return t.connects; });
  family("ballast_target_connect_failures_total", counter, "Connections to the target that could not be opened.",
         [](T t) { return t.connect_failures; });
  family("ballast_target_connection_reuses_total", counter, "Requests sent on a pooled connection.",
         [](T t) { return t.reuses; });
  family("ballast_target_pool_idle_connections", gauge, "Connections to the target at rest in the pools.",
         [](T t) { return t.pool_idle; });
  out.family("ballast_target_health_checks_total", counter, "Health checks of the target, by result.");
  each_target([&](const GroupStatus& g, T t) {
    out.sample({{"group", g.name}, {"target", t.address}, {"result", "passed"}}, t.checks_passed);
    out.sample({{"group", g.name}, {"target", t.address}, {"result", "failed"}}, t.checks_failed);
  });
  family("ballast_target_health_check_duration_seconds", gauge, "How long the last health check took.",
         [](T t) { return std::chrono::duration<double>(t.check_took).count(); });
}

void process(Exposition& out, const Status& status) {
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, MetricType::Gauge, help);
    out.sample({}, value);
  };
  out.family("ballast_build_info", MetricType::Gauge, "The version that runs; always 1.");
  out.sample({{"version", status.version}}, std::uint64_t{1});
  gauge("ballast_config_generation", "Generation of the running configuration; grows by one at each change.",
        status.generation);
  gauge("ballast_config_last_applied_timestamp_seconds", "When the running configuration was applied.",
        seconds(status.configured));
  gauge("ballast_workers", "Worker threads.", static_cast<double>(status.workers));
  gauge("ballast_stopping", "1 while ballast drains before it ends.", std::uint64_t{status.stopping ? 1U : 0U});
  out.family("ballast_access_log_dropped_bytes_total", MetricType::Counter,
             "Access log lines lost because the disk was full or too slow, in bytes.");
  out.sample({}, status.access_log_dropped_bytes);
  gauge("ballast_kernel_tls", "1 where the kernel encrypts long bodies.",
        std::uint64_t{status.kernel_tls.state == "on" ? 1U : 0U});
  out.family("ballast_kernel_tls_connections_total", MetricType::Counter,
             "TLS connections whose sending was given to the kernel, or would have been, by what it said.");
  out.sample({{"result", "taken"}}, status.kernel_tls.connections);
  out.sample({{"result", "refused"}}, status.kernel_tls.refused);
  gauge("process_start_time_seconds", "When the process started.", seconds(status.started));
  gauge("process_resident_memory_bytes", "Resident memory.", status.memory_bytes);
  gauge("process_open_fds", "Open file descriptors.", status.descriptors_open);
  gauge("process_max_fds", "Limit on open file descriptors.", status.descriptors_max);
}

}  // namespace

std::string prometheus_page(const model::Status& status) {
  Exposition out;
  process(out, status);
  listeners(out, status);
  certificates(out, status);
  acme(out, status);
  rate_limits(out, status);
  groups(out, status);
  targets(out, status);
  return out.take();
}

}  // namespace ballast::admin

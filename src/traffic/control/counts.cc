#include "traffic/control/counts.h"

#include <type_traits>

#include <fmt/format.h>

namespace ballast::traffic {
namespace {

// Calls visit(name, counter) for each counter that only grows; of cells that may be const.
template <typename Name, typename Counters, typename Visit>
void each_by_name(std::string_view of, Counters& counters, const Visit& visit) {
  for (std::size_t i = 0; i < counters.size(); ++i) {
    visit(fmt::format("{}.{}", of, to_string(static_cast<Name>(i))), counters[i]);
  }
}

template <typename Cell, typename Visit>
void each_of_traffic(Cell& cell, const Visit& visit) {
  visit("requests", cell.requests);
  for (std::size_t i = 0; i < cell.responses.size(); ++i)
    visit(fmt::format("responses.{}xx", i + 1), cell.responses[i]);
  each_by_name<grpc::Status>("calls", cell.calls, visit);
  visit("datagrams_in", cell.datagrams_in);
  visit("datagrams_out", cell.datagrams_out);
  visit("bytes_in", cell.bytes_in);
  visit("bytes_out", cell.bytes_out);
  visit("duration_sum_us", cell.duration_sum_us);
  for (std::size_t i = 0; i < cell.duration_buckets.size(); ++i) {
    // By its bound: another version may have others.
    const std::string bound =
        i < Histogram::bounds_us.size() ? fmt::format("{}", Histogram::bounds_us[i]) : std::string("more");
    visit("duration." + bound, cell.duration_buckets[i]);
  }
}

template <typename Cell, typename Visit>
void each_counter(Cell& cell, const Visit& visit) {
  using Kind = std::remove_const_t<Cell>;
  each_of_traffic(cell.traffic, visit);
  if constexpr (std::is_same_v<Kind, ListenerCell>) {
    visit("connections_total", cell.connections_total);
    visit("connections_refused", cell.connections_refused);
    each_by_name<http::Defect>("defects", cell.defects, visit);
    each_by_name<http::Defect>("defects_passed", cell.defects_passed, visit);
    each_by_name<UdpDrop>("udp_drops", cell.udp_drops, visit);
    visit("http2_connections", cell.http2_connections);
    each_by_name<http2::SessionDefect>("http2_defects", cell.http2_defects, visit);
    each_by_name<Reason>("errors", cell.errors, visit);
    each_by_name<tls::HandshakeEnd>("handshakes", cell.handshakes, visit);
    each_by_name<FaultDone>("faults", cell.faults, visit);
    each_by_name<MirrorDone>("mirrors", cell.mirrors, visit);
  } else if constexpr (std::is_same_v<Kind, GroupCell>) {
    visit("retries", cell.retries);
    visit("retries_refused", cell.retries_refused);
    visit("stale_replays", cell.stale_replays);
    visit("sticky_requests", cell.sticky_requests);
    visit("sticky_moved", cell.sticky_moved);
    visit("queued", cell.queued);
    visit("queue_wait_us", cell.queue_wait_us);
    each_by_name<http::Defect>("defects", cell.defects, visit);
    each_by_name<http::Defect>("defects_passed", cell.defects_passed, visit);
    each_by_name<Reason>("errors", cell.errors, visit);
  } else {
    visit("connects", cell.connects);
    visit("connect_failures", cell.connect_failures);
    visit("reuses", cell.reuses);
  }
}

template <typename Cell>
Counts sum_of(const std::vector<Cell>& cells) {
  Counts counts;
  for (const Cell& cell : cells) {
    each_counter(cell, [&](std::string_view name, const Counter& counter) {
      if (counter.get() != 0) counts[std::string(name)] += counter.get();
    });
  }
  return counts;
}

template <typename Cell>
void add_all(Cell& cell, const Counts& counts) {
  each_counter(cell, [&](std::string_view name, Counter& counter) {
    const auto found = counts.find(std::string(name));
    if (found != counts.end()) counter.add(found->second);
  });
}

}  // namespace

Counts counts_of(const std::vector<ListenerCell>& cells) {
  return sum_of(cells);
}
Counts counts_of(const std::vector<GroupCell>& cells) {
  return sum_of(cells);
}
Counts counts_of(const std::vector<TargetCell>& cells) {
  return sum_of(cells);
}
void add(ListenerCell& cell, const Counts& counts) {
  add_all(cell, counts);
}
void add(GroupCell& cell, const Counts& counts) {
  add_all(cell, counts);
}
void add(TargetCell& cell, const Counts& counts) {
  add_all(cell, counts);
}

Counts difference(Counts now, const Counts& before) {
  for (const auto& [name, count] : before) {
    const auto found = now.find(name);
    if (found == now.end()) continue;
    found->second -= count < found->second ? count : found->second;
    if (found->second == 0) now.erase(found);
  }
  return now;
}

}  // namespace ballast::traffic

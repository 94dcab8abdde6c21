#include "traffic/cells.h"

namespace ballast::traffic {

void TrafficCell::add_to(model::Traffic& sum) const {
  sum.requests += requests.get();
  for (std::size_t i = 0; i < responses.size(); ++i) sum.responses[i] += responses[i].get();
  static_assert(std::tuple_size_v<decltype(calls)> == std::tuple_size_v<decltype(sum.calls)>);
  for (std::size_t i = 0; i < calls.size(); ++i) sum.calls[i] += calls[i].get();
  sum.bytes_in += bytes_in.get();
  sum.bytes_out += bytes_out.get();
  sum.datagrams_in += datagrams_in.get();
  sum.datagrams_out += datagrams_out.get();
  sum.in_flight += in_flight.get();
  sum.duration.sum_us += duration_sum_us.get();
  for (std::size_t i = 0; i < duration_buckets.size(); ++i) {
    const std::uint64_t count = duration_buckets[i].get();
    sum.duration.buckets[i] += count;
    sum.duration.count += count;
  }
}

}  // namespace ballast::traffic

#include "traffic/protect/network_set.h"

#include <algorithm>

namespace ballast::traffic {

NetworkSet::Number NetworkSet::number_of(const AddressBytes& address) {
  Number number = 0;
  for (const std::uint8_t byte : address) number = number << 8U | byte;
  return number;
}

NetworkSet::NetworkSet(std::span<const config::Network> networks) {
  ranges_.reserve(networks.size());
  for (const config::Network& network : networks) {
    const Number first = number_of(network.bytes);
    const Number rest = network.prefix_bits == 0 ? ~Number{0} : (Number{1} << (128U - network.prefix_bits)) - 1;
    ranges_.push_back({first, first | rest});
  }
  std::ranges::sort(ranges_, {}, &Range::first);
  std::vector<Range> joined;
  for (const Range& range : ranges_) {
    // One that ends with the last address of all has nothing behind it.
    const bool goes_on =
        !joined.empty() && (range.first <= joined.back().last || range.first - 1 == joined.back().last);
    if (goes_on) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  joined.shrink_to_fit();
  ranges_ = std::move(joined);
}

bool NetworkSet::contains(const AddressBytes& address) const {
  if (ranges_.empty()) return false;
  const Number number = number_of(address);
  const auto next = std::ranges::upper_bound(ranges_, number, {}, &Range::first);
  return next != ranges_.begin() && number <= std::prev(next)->last;
}

}  // namespace ballast::traffic

// UdpDrop: why a datagram went no further. It appears in the metrics, in `status --json` and in the guide.
//
//   no_rule      no rule matches its source, and there is no default
//   no_target    the group has no target that takes requests
//   flows_full   the table has no room for its flow, and all in it are in use
//   overloaded   no descriptor or no local port for its flow
//   stopping     it would have begun a flow of a listener that is going
//   to_target    the kernel would not take it towards the target: no room, or no way
//   to_client    the same towards the client
//   too_large    for the way it would have taken
//   address_denied  its source is in a network of deny, or in none of allow
//   queue_full   it came faster than it was read: the listener's receive queue had no room
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::traffic {

enum class UdpDrop : std::uint8_t {
  NoRule,
  NoTarget,
  FlowsFull,
  Overloaded,
  Stopping,
  ToTarget,
  ToClient,
  TooLarge,
  QueueFull,
  AddressDenied,
};
inline constexpr int udp_drop_count = static_cast<int>(UdpDrop::AddressDenied) + 1;

constexpr std::string_view to_string(UdpDrop drop) {
  switch (drop) {
    case UdpDrop::NoRule:
      return "no_rule";
    case UdpDrop::NoTarget:
      return "no_target";
    case UdpDrop::FlowsFull:
      return "flows_full";
    case UdpDrop::Overloaded:
      return "overloaded";
    case UdpDrop::Stopping:
      return "stopping";
    case UdpDrop::ToTarget:
      return "to_target";
    case UdpDrop::ToClient:
      return "to_client";
    case UdpDrop::TooLarge:
      return "too_large";
    case UdpDrop::QueueFull:
      return "queue_full";
    case UdpDrop::AddressDenied:
      return "address_denied";
  }
  return "";
}

}  // namespace ballast::traffic

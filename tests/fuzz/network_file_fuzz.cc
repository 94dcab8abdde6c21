// Fuzzes a file of networks: what is read of it can be written down and read again as the same, and an Error names its
// line.
//
// The canary holds that no network has more than 96 bits of IPv6 before its own.
#include <cstdint>
#include <string>

#include "config/network_file.h"
#include "require.h"

using namespace ballast;
using ballast::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto networks = config::parse_network_file(text);
  if (!networks.has_value()) {
    require(networks.error().text().starts_with("line ") || networks.error().code() == Code::TooLarge, "it says where");
    return 0;
  }
  std::string written;
  for (const config::Network& network : *networks) {
    require(network.prefix_bits <= 128, "it is of an address");
#ifdef BALLAST_CANARY
    require(network.prefix_bits <= 96, "it is small");
#endif
    written += network.to_string() + "\n";
  }
  const auto again = config::parse_network_file(written);
  require(again.has_value() && *again == *networks, "it is read as it was written");
  return 0;
}

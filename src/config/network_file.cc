#include "config/network_file.h"

#include <fmt/format.h>

#include "config/units.h"

namespace ballast::config {

Result<std::vector<Network>> parse_network_file(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  std::vector<Network> networks;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line = line.substr(0, line.find_first_of("#;"));
    const std::size_t first = line.find_first_not_of(blank);
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(blank) - first + 1);
    const auto network = parse_network(line);
    if (!network) {
      return fail(network.error().code(), fmt::format("line {}: {}", number, network.error().text()));
    }
    if (networks.size() == network_file_entries_max) {
      return fail(Code::TooLarge, fmt::format("it has more than {} networks", network_file_entries_max));
    }
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace ballast::config

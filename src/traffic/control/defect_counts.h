// The defects that the workers have counted, summed for a status. Control thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/status.h"
#include "traffic/cells.h"
#include "wire/http/desync.h"

namespace ballast::traffic {

// Of the counters `member` of each cell, those that are not 0.
template <typename Cells, typename Cell>
std::vector<model::Count> defect_counts(const Cells& cells, DefectCounters Cell::* member) {
  std::array<std::uint64_t, http::defect_count> sums{};
  for (const Cell& cell : cells) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += (cell.*member)[i].get();
  }
  std::vector<model::Count> counts;
  for (std::size_t i = 1; i < sums.size(); ++i) {
    if (sums[i] == 0) continue;
    const auto defect = static_cast<http::Defect>(i);
    counts.push_back({std::string(http::to_string(defect)), sums[i], std::string(to_string(http::class_of(defect)))});
  }
  return counts;
}

}  // namespace ballast::traffic

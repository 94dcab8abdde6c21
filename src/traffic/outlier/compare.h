// Targets compared with their peers, once an interval: who succeeds less often is ejected, who is slower or fails more
// gets less. Pure, as judge.h.
//
// The measure of the peers is their median, and their spread the median of their distances from it (times 1.4826, which
// for a normal distribution is the standard deviation): unlike mean and deviation they do not move when one of the
// peers is bad as well. A target is never its own peer.
//
//   weight   the target is found          next weight
//   any      slow, the interval before too  half of it, down to the floor
//   < 1      well                         twice as much, up to 1
//   < 1      in between                   as it is
//   < 1      not comparable for window_intervals_max intervals   twice as much: nothing speaks against it
//
// Slow is a mean time of at least `factor` times the peers' median and `gap` above it, or a share of failures so many
// points above their median's; well is half of both distances.
#pragma once

#include "traffic/outlier/judge.h"

namespace ballast::traffic::outlier {

// A window that has too few requests is over after so many intervals.
inline constexpr int window_intervals_max = 6;

std::vector<Happened> compare(const Spec& spec, std::span<Member> members, HealthTime now);

}  // namespace ballast::traffic::outlier

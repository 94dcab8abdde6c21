// The height of a blockchain's node, judged: a node that answers but has stopped growing, or has fallen behind its
// peers, is of no use. Pure: what was seen and when comes in, a verdict comes out.
//
//   first that holds                                       verdict
//   no height for the first time, or it grew               Growing   (and not further behind than lag_max)
//   the best peer is more than lag_max ahead               Behind
//   it has not grown for stalled_after (0: never asked)    Stalled
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"
#include "traffic/health/decide.h"

namespace ballast::traffic {

// What is remembered of a node.
struct HeightRecord {
  std::uint64_t height = 0;
  HealthTime grew_at{};  // when it was first seen at this height, or above any before
  HealthTime seen_at{};
};

enum class HeightVerdict : std::uint8_t { Growing, Behind, Stalled };

struct HeightSeen {
  std::uint64_t height = 0;
  std::optional<std::uint64_t> best_peer;  // of the nodes that have answered lately; none: it is alone
};

struct HeightJudged {
  HeightVerdict verdict = HeightVerdict::Growing;
  HeightRecord record;
  std::string words;  // "height 1200, 40 behind the best peer's 1240, at most 10 are allowed"
};

HeightJudged judge_height(const config::JsonRpc& check, const std::optional<HeightRecord>& record,
                          const HeightSeen& seen, HealthTime now);

// A peer's height counts while it is no older than this: one that has gone silent must not make the others look behind.
config::Milliseconds height_valid_for(const config::HealthCheck& check);

// The height in a JSON-RPC answer, at a path such as "result" or "result.sync_info.latest_block_height": a number, or
// text in decimal or, with 0x, hexadecimal. The Error says what stands there instead: the answer's own error, or what
// is odd.
Result<std::uint64_t> height_in(Bytes answer, const std::string& path);

}  // namespace ballast::traffic

// Serving: one serving process as its keeper sees it.
//
//   stage      when                                            ends it
//   Starting   it was started, and has not said that it serves  its ready, its end, or the keeper's patience
//   Serving    it serves                                       the next one's ready, its end
//   Draining   another one serves; it ends what it has          its end
//
// Keeper's thread. One that is destroyed is killed.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "io/channel.h"
#include "io/process.h"
#include "io/watcher.h"

namespace ballast::handover {

struct Serving {
  enum class Stage : std::uint8_t { Starting, Serving, Draining };

  Serving(std::uint64_t serving_id, io::Process serving_process, io::Channel serving_channel)
      : id(serving_id), process(std::move(serving_process)), channel(std::move(serving_channel)) {}

  const std::uint64_t id;
  io::Process process;
  io::Channel channel;
  std::unique_ptr<io::Watcher> watcher;
  Stage stage = Stage::Starting;
  io::Instant started = io::Clock::now();
};

}  // namespace ballast::handover

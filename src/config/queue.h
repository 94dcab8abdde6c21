// Part of the settings (settings.h): how requests wait for a target of their group that has as many as it may have.
#pragma once

#include <cstdint>

#include "config/health_check.h"

namespace ballast::config {

struct Queue {
  std::uint32_t length = 1'000;  // of all workers together; 0: nobody waits
  Milliseconds timeout{5'000};
  friend bool operator==(const Queue&, const Queue&) = default;
};

// Whose requests are served first; in the order of their coming within one.
enum class Priority : std::uint8_t { High, Normal, Low };
inline constexpr int priority_count = 3;

}  // namespace ballast::config

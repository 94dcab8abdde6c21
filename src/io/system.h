// What the machine gives this process: the wall clock, descriptors, memory, processors, the environment.
//
// Any thread. Facts that /proc does not tell (not mounted) are 0.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ballast::io {

using WallTime = std::chrono::system_clock::time_point;

// For people and certificates; it may jump. Waiting is by Clock (deadline.h).
WallTime now_wall();

// Reads a folder of that many entries: for metrics, not for each connection.
std::size_t open_descriptor_count();
// How many this process may open.
std::uint64_t descriptor_limit();
// Raises the limit as far as one may without privileges; gives the new one.
Result<std::uint64_t> raise_descriptor_limit();

std::uint64_t resident_memory_bytes();
// Processors this process may run on (taskset, cpuset), at least 1.
unsigned cpu_count();
// nullopt where it is not set. Not beside a thread that calls setenv, of which there is none here.
std::optional<std::string> environment(const char* name);
// All of it as "NAME=value", but for these names.
std::vector<std::string> environment_without(std::initializer_list<std::string_view> names);

}  // namespace ballast::io

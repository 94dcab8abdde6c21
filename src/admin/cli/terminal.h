// Terminal: what a command prints to, and what is known of the person's side: width, colours, their clock and folder.
//
// Text that came from the running balancer passes through printable(): a target can put anything into a reason, and
// nothing it says may move the cursor.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace ballast::admin {

enum class Colour : std::uint8_t { Plain, Good, Warning, Bad, Faint, Strong };

struct Terminal {
  std::function<void(std::string_view)> out;    // standard output, flushed
  std::function<void(std::string_view)> error;  // standard error
  int width_columns = 0;                        // 0: not a terminal, no limit
  bool colours = false;
  std::function<std::chrono::system_clock::time_point()> now;
  std::string folder;  // the working directory, for relative paths

  std::string paint(std::string_view text, Colour colour) const;
};

// One line without control characters.
std::string printable(std::string_view text);
// Columns a terminal needs for UTF-8 text, one a character (wide ones do not occur in what we print).
std::size_t columns(std::string_view text);

}  // namespace ballast::admin

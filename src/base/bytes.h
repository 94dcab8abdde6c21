// Bytes: a view of somebody else's memory. Who owns it and how long it lives is said where one is returned.
#pragma once

#include <cstddef>
#include <string_view>

namespace ballast {

// Text and wire bytes share one view type: every protocol here is parsed from char.
using Bytes = std::string_view;

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;

}  // namespace ballast

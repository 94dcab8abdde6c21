// The version of this program, from CMake's project(): what `ballast version` says.
#pragma once

#include <string_view>

namespace ballast::app {

inline constexpr std::string_view version = BALLAST_VERSION;

}  // namespace ballast::app

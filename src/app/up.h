// `ballast up FILE`: a small parent that owns the listening sockets and keeps a serving process up.
#pragma once

#include "admin/cli/command.h"

namespace ballast::app {

admin::Command up_command();

}  // namespace ballast::app

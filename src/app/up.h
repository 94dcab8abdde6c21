// `ballast up FILE`: the program itself, in the foreground, from reading its file to its last request.
#pragma once

#include "admin/cli/command.h"

namespace ballast::app {

admin::Command up_command();

}  // namespace ballast::app

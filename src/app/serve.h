// `ballast serve FILE`: the process that serves.
#pragma once

#include "admin/cli/command.h"

namespace ballast::app {

admin::Command serve_command();
// Of `up` and `serve`.
admin::Option no_sandbox_option();

}  // namespace ballast::app

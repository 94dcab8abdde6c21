// Changes, asked for until the running ballast takes one: while another process is about to take over from it, it
// refuses them for a moment, since they would be lost with it.
#pragma once

#include "admin/cli/command.h"

namespace ballast::admin {

// The first answer that is not "busy"; that one after a minute and a half. Says on standard error that it waits.
Result<ApiAnswer> ask_for_change(const Invocation& invocation, const ApiQuestion& question);

}  // namespace ballast::admin

// What the commands that change the whole configuration share: plan, apply, reload, rollback.
#pragma once

#include <string>

#include "admin/cli/command.h"

namespace ballast::admin {

enum class Applied : bool { No, Yes };
// The answer's list of changes, for people or as it came.
Exit report_changes(const Invocation& invocation, const Result<ApiAnswer>& answer, Applied applied);

// --confirm TIME, and the query that it becomes behind `joint`; empty without it.
Option confirm_option();
std::string confirm_query(const Invocation& invocation, char joint);

}  // namespace ballast::admin

// The commands of admin/, one file each; run.cc puts them into the table.
#pragma once

#include "admin/cli/command.h"

namespace ballast::admin {

Command status_command();
Command events_command();
Command explain_command();
Command check_command();
Command import_command();
Command plan_command();
Command apply_command();
Command reload_command();
Command history_command();
Command rollback_command();
Command confirm_command();
Command upgrade_command();
Command target_command();
Command maintenance_command();
Command schema_command();
Command version_command();
Command completion_command();
Command whoami_command();
Command help_command();

// The text of `ballast help`, and of `ballast COMMAND --help`.
std::string help_page(std::span<const Command> commands);
std::string help_page(const Command& command);

// Options that every command understands.
std::span<const Option> common_options();

}  // namespace ballast::admin

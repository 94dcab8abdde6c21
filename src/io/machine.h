// What the system tells of this process and the person before it. Blocks for no time worth naming; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace ballast::io {

std::string host_name();
std::int64_t process_id();
// Empty where it has been removed.
std::string working_directory();
// Columns of the terminal that standard output is; 0: it is none.
int terminal_columns();

}  // namespace ballast::io

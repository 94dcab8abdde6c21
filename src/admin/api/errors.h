// What went wrong, as an ApiResponse: one table from our error codes to statuses.
#pragma once

#include <string_view>

#include "admin/api/request.h"
#include "base/result.h"

namespace ballast::admin {

// {"error": {"code", "text"}} with the status that fits the error's code.
ApiResponse error_response(const Error& error);
ApiResponse error_response(int status, std::string_view code, std::string_view text);

// "not_found": the code as a word for programs.
std::string_view code_word(Code code);

}  // namespace ballast::admin

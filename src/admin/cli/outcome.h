// How commands end: one way to report that nothing answered, that the answer was a refusal, and that all is well.
//
// With --json everything goes to standard output as the API's own documents; else sentences go to standard error.
#pragma once

#include <optional>
#include <string_view>

#include "admin/cli/command.h"

namespace ballast::admin {

// Reports what went wrong and says how to exit; none: the answer is a success.
std::optional<Exit> report_failure(const Invocation& invocation, const Result<ApiAnswer>& answer);

// Reports a failure of this side.
Exit report_failure(const Invocation& invocation, Exit exit, std::string_view code, std::string_view text);

// `sentence` for people, the answer's document with --json.
Exit report_done(const Invocation& invocation, const ApiAnswer& answer, std::string_view sentence);

// An answer that is not what this version understands; the two programs differ.
Exit report_misunderstanding(const Invocation& invocation);

}  // namespace ballast::admin

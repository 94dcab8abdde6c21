// The kinds of headers that a configuration puts into messages and takes out of them.
//
// What frames a message or belongs to one connection is the balancer's own and can be neither.
#pragma once

#include <string>

#include "config/kind.h"

namespace ballast::config {

Value<std::string> response_header_name();
// Host may be set by a rule; what may be removed says the section.
Value<std::string> request_header_name();
// As it stands.
Value<std::string> header_value();
// The same with placeholders.
Value<std::string> header_text();

// What a header cannot carry; empty: it is good.
std::string header_text_fault(std::string_view value);

}  // namespace ballast::config

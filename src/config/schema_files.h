// The schema of files served directly; a part of the rules' (schema_rule.cc).
#pragma once

#include "config/kind.h"
#include "config/settings.h"

namespace ballast::config {

Value<Files> files_kind();

}  // namespace ballast::config

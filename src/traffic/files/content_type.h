// Which media type a file has, by the ending of its name.
//
// A table in the code and not the system's: two servers answer the same, and an image without /etc/mime.types too. What
// is not in it is told in the configuration.
#pragma once

#include "base/bytes.h"

namespace ballast::traffic {

// "text/css" of "css", without case; empty where it is not known.
Bytes content_type_of(Bytes ending);

// "css" of "a.b/site.min.css"; empty where there is none.
Bytes ending_of(Bytes name);

// Whether a charset parameter belongs to it: text, and what scripts are.
bool has_charset(Bytes content_type);

}  // namespace ballast::traffic

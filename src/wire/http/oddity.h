// What a well-formed head has that is seldom sent in good faith: the class `acceptable` of desync.h, looked for in a
// head that has been parsed. Pure; offsets count from the head's first byte.
//
// What costs a look at every byte (methods, targets, names and values) is looked for outside of the defensive mode
// alone.
#pragma once

#include "wire/http/desync.h"
#include "wire/http/message.h"

namespace ballast::http {

// Methods whose requests mean nothing by a body (RFC 9110 9.3).
bool expects_no_body(Bytes method);

Flaw find_oddity(const RequestHead& head, Strictness strictness);
Flaw find_oddity(const ResponseHead& head, Strictness strictness);

}  // namespace ballast::http

// close_lingering: closes a connection so that what was sent arrives: the kernel resets one that is closed over unread
// bytes, and the reset may overtake the last answer. Reads away what comes for a second, at most 256 KiB.
#pragma once

#include "io/stream.h"
#include "io/task.h"

namespace ballast::io {

Task<void> close_lingering(Stream& stream);

// close(), when may_close() says so or `patience` is over.
Task<void> close_when_sent(Stream& stream, Duration patience);

}  // namespace ballast::io

// The admin socket's file: made with its permissions before anybody can find it, taken over from a ballast that has
// died, never from one that lives, removed at the end.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/tcp.h"

namespace ballast::io {
class Loop;
}

namespace ballast::admin {

// Listens on `path`, mode 0660. InUse where a live program answers there: "another ballast is running on PATH ...".
Result<io::ListeningSocket> listen_on_file(io::Loop& loop, const std::string& path);

// Nothing happens where it has gone already.
void remove_socket_file(const std::string& path);

}  // namespace ballast::admin

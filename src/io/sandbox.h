// Sandbox: what this process and all that it starts give up for good, once it has what it needs: privileges that a
// program gains by exec (no_new_privs), capabilities, and system calls that a load balancer has no use for.
//
// The calls that are refused (with EPERM) are those that reach other processes, load code into the kernel, change the
// machine or get around other bounds; not an allowlist, since health checks may run any program. Called with a single
// thread. What the kernel cannot do is told, and the rest holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::io {

struct Sandbox {
  // Connections from addresses that are not this machine's (CAP_NET_ADMIN).
  enum class Transparent : std::uint8_t { No, Yes };
  Transparent transparent = Transparent::No;
};

// The Error texts of what could not be given up; empty: all of it is.
std::vector<std::string> enter(const Sandbox& sandbox);

}  // namespace ballast::io

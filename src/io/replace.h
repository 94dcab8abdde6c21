// What a process gets from the one that started it, or was in its place.
//
// replace_program: this process goes on as another program (exec), with the descriptors that are to stay open for it.
// For a keeper that is replaced by its newer version: its children stay its children, signals that are blocked and
// pending stay so. Only with a single thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/owned_fd.h"

namespace ballast::io {

struct Replacement {
  std::string program;                   // a path
  std::vector<std::string> arguments;    // without the program itself
  std::vector<std::string> environment;  // all of it, "NAME=value"
};

// Returns only where it could not be done; nothing has changed then.
Error replace_program(const Replacement& replacement, std::span<const int> kept_descriptors);

// Listening sockets that a service manager has opened for this process (LISTEN_FDS, sd_listen_fds(3)).
std::vector<OwnedFd> inherited_sockets();

// Where the file of the program that runs here is, also when a newer one has been put in its place.
std::string program_path();

}  // namespace ballast::io

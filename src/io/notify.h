// Notifier: tells the service manager how this process is doing: sd_notify(3), without its library.
//
// Each message is one datagram to $NOTIFY_SOCKET, sent without waiting; where that is not set every call does nothing.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.h"

namespace ballast::io {

class Notifier {
 public:
  Notifier() = default;  // tells nobody
  // A path, or an abstract name that starts with '@'.
  explicit Notifier(std::string socket) : socket_(std::move(socket)) {}
  static Notifier from_environment();

  bool is_heard() const { return !socket_.empty(); }
  Result<> ready() const { return send("READY=1"); }
  Result<> stopping() const { return send("STOPPING=1"); }
  // With the time the manager asks for (systemd 253, Type=notify-reload); ready() ends it.
  Result<> reloading() const;
  // One line, shown by systemctl status; cut at 500 bytes, line ends become spaces.
  Result<> status(std::string_view text) const;
  // Another process is the main one from now on: after a handover to a new binary.
  Result<> main_process(pid_t process) const;
  // The manager holds a copy of the descriptor under that name, and gives it to the next process of the service
  // (sd_pid_notify_with_fds(3), FileDescriptorStoreMax=).
  Result<> keep(std::string_view name, int descriptor) const;
  Result<> keep_no_longer(std::string_view name) const;

 private:
  Result<> send(std::string_view message, int descriptor = -1) const;
  std::string socket_;
};

}  // namespace ballast::io

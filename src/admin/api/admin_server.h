// AdminServer: the admin API behind its two doors: the Unix socket, which may do everything, and admin.http, which may
// only read.
//
// Owned by app/, on the control thread's Loop, like the Service it asks. It ends with close(), awaited before it is
// destroyed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/api/handle.h"
#include "admin/serve/small_server.h"
#include "config/settings.h"
#include "io/socket_source.h"
#include "model/service.h"

namespace ballast::admin {

class AdminServer {
 public:
  // Both doors listen when this returns; on an Error neither does. Its text names the address and what to do.
  static Result<std::unique_ptr<AdminServer>> open(io::Loop& loop, model::Service& service, cluster::Changes& changes,
                                                   const ConfigSource& configurations, const config::Admin& settings,
                                                   io::SocketSource& sockets);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;

  // Answers what is being asked until the deadline, then cuts; the socket's file goes, unless another process goes on
  // with it.
  enum class Sockets : std::uint8_t { GiveUp, HandOver };
  io::Task<void> close(io::Deadline deadline, Sockets sockets = Sockets::GiveUp);

  // "127.0.0.1:9900", with the real port; empty without admin.http.
  std::string http_address() const;

 private:
  class Door;
  AdminServer(io::Loop& loop, model::Service& service, const ApiContext& context, io::SocketSource& sockets,
              std::vector<io::SocketSpec> specs);

  io::SocketSource& sockets_;
  std::vector<io::SocketSpec> specs_;
  std::unique_ptr<Door> local_;
  std::unique_ptr<Door> tcp_;
};

}  // namespace ballast::admin

// AdminServer: the admin API behind its two doors: the Unix socket, which may do everything, and admin.http, which may
// only read.
//
// Owned by app/, on the control thread's Loop, like the Service it asks. It ends with close(), awaited before it is
// destroyed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "admin/api/config_source.h"
#include "admin/serve/small_server.h"
#include "config/settings.h"
#include "model/service.h"

namespace ballast::admin {

class AdminServer {
 public:
  // Both doors listen when this returns; on an Error neither does. Its text names the address and what to do.
  static Result<std::unique_ptr<AdminServer>> open(io::Loop& loop, model::Service& service,
                                                   const ConfigSource& configurations, const config::Admin& settings);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;

  // Answers what is being asked until the deadline, then cuts; removes the socket's file.
  io::Task<void> close(io::Deadline deadline);

  // "127.0.0.1:9900", with the real port; empty without admin.http.
  std::string http_address() const;

 private:
  class Door;
  AdminServer(io::Loop& loop, model::Service& service, const ConfigSource& configurations, std::string socket_path);

  std::string socket_path_;
  std::unique_ptr<Door> local_;
  std::unique_ptr<Door> tcp_;
};

}  // namespace ballast::admin

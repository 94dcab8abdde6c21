// SocketClient: asks the running ballast over its Unix socket, one connection a question. Blocks; for the CLI.
#pragma once

#include <memory>
#include <string>

#include "admin/cli/client.h"

namespace ballast::io {
class Loop;
}

namespace ballast::admin {

class SocketClient final : public ApiClient {
 public:
  explicit SocketClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  Result<ApiAnswer> ask(const ApiQuestion& question) override;
  void pause(std::chrono::milliseconds time) override;

 private:
  std::string socket_path_;
};

}  // namespace ballast::admin

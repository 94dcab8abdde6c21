// ApiClient: how a command asks the running ballast. A port: SocketClient goes over the Unix socket, tests answer
// themselves.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ballast::admin {

struct ApiQuestion {
  std::string method = "GET";
  std::string target;
  std::string content_type = {};
  std::string body = {};
  // For the whole exchange. An apply can take as long as binding and resolving does.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

struct ApiAnswer {
  int status = 0;
  std::string body;
};

class ApiClient {
 public:
  virtual ~ApiClient() = default;
  // An Error: nothing answered. Any answer, 4xx and 5xx too, is a value. The Error's text says which socket and what to
  // do.
  virtual Result<ApiAnswer> ask(const ApiQuestion& question) = 0;
  // Waits that long before a question is repeated.
  virtual void pause(std::chrono::milliseconds time) = 0;
};

}  // namespace ballast::admin

// SmallServer: a plain HTTP/1.1 server for small answers: the admin API's two doors and `ballast whoami`. Not the data
// plane: a request is received whole, answered whole, one after the other on each connection.
//
// Owned by whoever starts it, on one Loop's thread. It reads with the same strict parser as the data plane; a request
// that is refused by it is answered and the connection closed. Bounds: ServeLimits. It ends with close(); destroying
// one that still has connections is a broken invariant.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/acceptor.h"
#include "io/scope.h"
#include "io/tcp.h"
#include "wire/http/message.h"

namespace ballast::admin {

struct HttpQuestion {
  const http::RequestHead& head;
  std::string body;                        // empty where bodies are discarded
  std::uint64_t body_bytes = 0;            // received
  std::string remote;                      // "127.0.0.1:40312", "unix"
  std::optional<std::uint32_t> user = {};  // the number of who asks, over a Unix socket
};

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  std::string lines = {};           // further header lines, complete: "Allow: GET\r\n"
  std::uint64_t padding_bytes = 0;  // so many 'x' behind the body
};

class Answerer {
 public:
  virtual ~Answerer() = default;
  // May wait; what it waits for is bounded by itself. The question lives until the task ends.
  virtual io::Task<HttpAnswer> answer(const HttpQuestion& question) = 0;
  // The words of a request that could not be read.
  virtual HttpAnswer refuse(int status, std::string text) = 0;
};

enum class RequestBody : std::uint8_t { Keep, Discard };

struct ServeLimits {
  std::size_t connections = 64;  // one more is answered 503 and closed
  std::uint64_t body_bytes = 4 * mib;
  RequestBody body = RequestBody::Keep;
  std::chrono::milliseconds idle = std::chrono::seconds(10);     // between two requests
  std::chrono::milliseconds receive = std::chrono::seconds(10);  // a whole request, from its first byte
  std::chrono::milliseconds send = std::chrono::seconds(10);     // a whole response
};

class SmallServer {
 public:
  SmallServer(io::Loop& loop, Answerer& answerer, const ServeLimits& limits);
  SmallServer(const SmallServer&) = delete;
  ~SmallServer();

  void listen(io::ListeningSocket socket);
  const io::SocketAddress& address() const { return socket_->address(); }
  std::size_t connections() const { return scope_.size(); }

  // Takes no more connections, ends the idle ones, lets requests under way finish until the deadline, then cuts them.
  io::Task<void> close(io::Deadline deadline);

 private:
  struct Session;
  void accepted(int fd, const io::Peer& peer);
  io::Task<void> serve(io::TcpStream stream, std::string remote, std::optional<std::uint32_t> user);
  io::Task<bool> serve_one(Session& session);
  io::Task<bool> receive_head(Session& session);
  io::Task<bool> receive_body(Session& session);
  io::Task<bool> send(Session& session, HttpAnswer answer);
  io::Task<bool> refuse(Session& session, int status, std::string text);

  io::Loop& loop_;
  Answerer& answerer_;
  ServeLimits limits_;
  std::optional<io::ListeningSocket> socket_;
  std::unique_ptr<io::Acceptor> acceptor_;
  std::set<Session*> sessions_;
  bool closing_ = false;
  io::Scope scope_;
};

}  // namespace ballast::admin

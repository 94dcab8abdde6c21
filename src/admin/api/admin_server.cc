#include "admin/api/admin_server.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "admin/api/errors.h"
#include "admin/api/handle.h"
#include "io/identity.h"
#include "io/loop.h"

namespace ballast::admin {

namespace {

// Under the half minute after which clients and their libraries like to give up.
constexpr std::uint64_t wait_seconds_max = 25;
// How soon a waiting client learns of an event; cheap enough for all 64 of them.
constexpr std::chrono::milliseconds wait_look{100};

HttpAnswer to_http(ApiResponse response) {
  HttpAnswer answer{.status = response.status,
                    .content_type = std::move(response.content_type),
                    .body = std::move(response.body),
                    .lines = "Cache-Control: no-store\r\n"};
  if (!response.allow.empty()) answer.lines += fmt::format("Allow: {}\r\n", response.allow);
  return answer;
}

struct Wait {
  std::uint64_t after = 0;
  std::uint64_t seconds = 0;
};

// Of GET /v1/events?after=N&wait=SECONDS; zero seconds for everything else. What is wrong in it is handle()'s to say.
Wait wait_of(const ApiRequest& request) {
  const Target target = take_apart(request.target);
  if (request.method != "GET" || target.malformed || target.segments != std::vector<std::string>{"v1", "events"}) {
    return {};
  }
  const auto number = [&](std::string_view name, std::uint64_t& value) {
    const std::string_view text = target.parameter(name);
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
  };
  Wait wait;
  if (!number("wait", wait.seconds)) return {};
  number("after", wait.after);
  wait.seconds = std::min(wait.seconds, wait_seconds_max);
  return wait;
}

// Only changes are noted with who made them.
std::string who_changes(const HttpQuestion& question) {
  const bool reads = question.head.method() == "GET" || question.head.method() == "HEAD";
  return reads || !question.user.has_value() ? std::string() : io::user_name(*question.user);
}

}  // namespace

class AdminServer::Door final : public Answerer {
 public:
  Door(io::Loop& loop, model::Service& service, ApiContext context, admin::Door door, const ServeLimits& limits)
      : loop_(loop), service_(service), context_(std::move(context)), door_(door), server_(loop, *this, limits) {}

  SmallServer& server() { return server_; }

  io::Task<void> close(io::Deadline deadline) {
    closing_ = true;
    co_await server_.close(deadline);
  }

  io::Task<HttpAnswer> answer(const HttpQuestion& question) override {
    const http::RequestHead& head = question.head;
    const ApiRequest request{.method = std::string(head.method()),
                             .target = std::string(head.target()),
                             .content_type = std::string(head.fields.value_or_empty(http::HeaderId::ContentType)),
                             .body = question.body,
                             .door = door_,
                             .user = who_changes(question)};
    const Wait wait = wait_of(request);
    const io::Deadline deadline = loop_.after(std::chrono::seconds(wait.seconds));
    while (wait.seconds > 0 && !closing_ && !deadline.passed(loop_.now()) && service_.events(wait.after).empty()) {
      const bool slept = co_await io::Sleep(earlier(deadline, loop_.after(wait_look)));
      if (!slept) break;
    }
    co_return to_http(handle(request, service_, context_));
  }

  HttpAnswer refuse(int status, std::string text) override {
    const std::string_view code = status == 413 ? "too_large" : status == 408 ? "timed_out" : "malformed";
    return to_http(error_response(status, code, text));
  }

 private:
  io::Loop& loop_;
  model::Service& service_;
  ApiContext context_;
  admin::Door door_;
  bool closing_ = false;
  SmallServer server_;
};

AdminServer::AdminServer(io::Loop& loop, model::Service& service, const ApiContext& context, io::SocketSource& sockets,
                         std::vector<io::SocketSpec> specs)
    : sockets_(sockets), specs_(std::move(specs)) {
  local_ = std::make_unique<Door>(loop, service, context, admin::Door::Socket,
                                  ServeLimits{.body_bytes = api_body_bytes_max});
  // Nothing that this door answers has a body worth sending.
  tcp_ = std::make_unique<Door>(loop, service, context, admin::Door::Tcp, ServeLimits{.body_bytes = 4 * kib});
}

AdminServer::~AdminServer() = default;

namespace {

Result<io::SocketSpec> http_spec(const config::Address& where) {
  const std::string host = where.host == "localhost" ? "127.0.0.1" : where.host;
  Result<io::SocketAddress> address = host.empty() ? Result<io::SocketAddress>(io::SocketAddress::any(where.port))
                                                   : io::SocketAddress::numeric(host, where.port);
  if (where.is_unix()) address = io::SocketAddress::unix_path(where.unix_path);
  if (!address) return fail(std::move(address.error()));
  return io::SocketSpec{.key = "admin.http " + where.to_string(), .address = address->to_string()};
}

Error about_socket(const std::string& path, const Error& error) {
  if (error.code() == Code::InUse) {
    return Error(Code::InUse,
                 fmt::format("another ballast is running on {}; stop it, or give this one its own admin.socket", path));
  }
  return Error(error.code(),
               fmt::format("cannot make the admin socket {}: {} (admin.socket says where it is)", path, error.text()));
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::open(io::Loop& loop, model::Service& service,
                                                       cluster::Changes& changes, const ConfigSource& configurations,
                                                       const config::Admin& settings, io::SocketSource& sockets) {
  std::optional<io::ListeningSocket> http;
  std::vector<io::SocketSpec> specs;
  if (settings.http) {
    Result<io::SocketSpec> spec = http_spec(*settings.http);
    if (!spec) return fail(std::move(spec.error()).within("admin.http"));
    Result<io::ListeningSocket> socket = sockets.open(*spec);
    if (!socket) return fail(std::move(socket.error()).within("admin.http"));
    http = std::move(*socket);
    specs.push_back(std::move(*spec));
  }
  // Last: it replaces a file. Only the users of its mode may connect to it.
  constexpr std::uint32_t owner_and_group = 0660;
  io::SocketSpec spec{
      .key = "admin.socket " + settings.socket, .address = "unix:" + settings.socket, .file_mode = owner_and_group};
  Result<io::ListeningSocket> local = sockets.open(spec);
  if (!local) {
    for (const io::SocketSpec& each : specs) sockets.release(each);
    return fail(about_socket(settings.socket, local.error()));
  }
  specs.push_back(std::move(spec));

  std::unique_ptr<AdminServer> server(
      new AdminServer(loop, service, {configurations, changes, settings.socket}, sockets, std::move(specs)));
  server->local_->server().listen(std::move(*local));
  if (http) {
    server->tcp_->server().listen(std::move(*http));
  } else {
    server->tcp_.reset();
  }
  return server;
}

io::Task<void> AdminServer::close(io::Deadline deadline, Sockets sockets) {
  if (sockets == Sockets::GiveUp) {
    for (const io::SocketSpec& each : specs_) sockets_.release(each);
  }
  co_await local_->close(deadline);
  if (tcp_) co_await tcp_->close(deadline);
}

std::string AdminServer::http_address() const {
  return tcp_ ? tcp_->server().address().to_string() : std::string();
}

}  // namespace ballast::admin

#include "admin/cli/socket_client.h"

#include <fmt/format.h>

#include "io/loop.h"
#include "io/scope.h"
#include "wire/http/fetch.h"

namespace ballast::admin {

using http::fetch;
using http::FetchRequest;
using http::FetchResponse;

namespace {

io::Task<void> exchange(io::Loop& loop, io::SocketAddress to, FetchRequest request, io::Deadline deadline,
                        Result<FetchResponse>& result) {
  result = co_await fetch(loop, to, std::move(request), deadline);
  loop.stop();
}

io::Task<void> wait(io::Loop& loop, io::Deadline deadline) {
  co_await io::Sleep(deadline);
  loop.stop();
}

std::string advice(Code code) {
  switch (code) {
    case Code::NotFound:
      return "there is no such socket. Is ballast running (ballast up FILE, systemctl status ballast)? Where its "
             "admin.socket is another path, give it with --socket PATH or $BALLAST_SOCKET";
    case Code::Refused:
      return "nobody listens there any more: ballast has ended. Start it: ballast up FILE, or systemctl start ballast";
    case Code::Denied:
      return "permission denied. Be its user or in its group, or use sudo";
    case Code::TimedOut:
      return "no answer in time. `ballast events` and its log tell what it is busy with";
    case Code::Malformed:
      return "what answers there does not speak HTTP. Is it the admin socket of a ballast?";
    default:
      return std::string(to_string(code));
  }
}

}  // namespace

Result<ApiAnswer> SocketClient::ask(const ApiQuestion& question) {
  const auto unreachable = [&](const Error& error) {
    return fail(error.code(), fmt::format("cannot reach ballast over {}: {}", socket_path_, advice(error.code())));
  };
  const Result<io::SocketAddress> address = io::SocketAddress::unix_path(socket_path_);
  if (!address)
    return fail(address.error().code(), fmt::format("--socket {}: {}", socket_path_, address.error().text()));
  const Result<std::unique_ptr<io::Loop>> loop = io::Loop::make();
  if (!loop) return fail(loop.error());
  Result<FetchResponse> response = fail(Code::Cancelled);
  io::Scope scope(**loop);
  scope.spawn(exchange(**loop, *address,
                       FetchRequest{.method = question.method,
                                    .target = question.target,
                                    .content_type = question.content_type,
                                    .body = question.body},
                       (*loop)->after(question.timeout), response));
  (*loop)->run();
  if (!response) return unreachable(response.error());
  return ApiAnswer{response->status, std::move(response->body)};
}

void SocketClient::pause(std::chrono::milliseconds time) {
  const Result<std::unique_ptr<io::Loop>> loop = io::Loop::make();
  if (!loop) return;
  io::Scope scope(**loop);
  scope.spawn(wait(**loop, (*loop)->after(time)));
  (*loop)->run();
}

}  // namespace ballast::admin

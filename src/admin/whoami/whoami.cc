// `ballast whoami`: a tiny HTTP server to try things with.
#include <csignal>

#include <fmt/format.h>

#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"
#include "admin/whoami/echo.h"
#include "config/units.h"
#include "io/loop.h"
#include "io/machine.h"
#include "io/signals.h"

namespace ballast::admin {

namespace {

// Long enough for the requests of a load test that is being drained, short of what service managers wait for.
constexpr std::chrono::seconds stop_time{30};

io::Task<void> stop(io::Loop& loop, SmallServer& server) {
  co_await server.close(loop.after(stop_time));
  loop.stop();
}

Result<io::SocketAddress> listening_address(const std::string& text) {
  const Result<config::Address> address = config::parse_address(text);
  if (!address) return fail(address.error());
  if (address->is_unix()) return io::SocketAddress::unix_path(address->unix_path);
  if (address->host.empty()) return io::SocketAddress::any(address->port);
  return io::SocketAddress::numeric(address->host == "localhost" ? "127.0.0.1" : address->host, address->port);
}

Exit run(const Invocation& invocation) {
  const std::string listen = invocation.arguments.value("--listen").value_or("127.0.0.1:8081");
  const Result<io::SocketAddress> address = listening_address(listen);
  if (!address) {
    return report_failure(invocation, Exit::BadInput, "invalid",
                          fmt::format("--listen {}: {}", listen, address.error().text()));
  }
  Result<std::unique_ptr<io::Loop>> made = io::Loop::make();
  if (!made) return report_failure(invocation, Exit::Refused, "system", made.error().text());
  io::Loop& loop = **made;
  Result<io::ListeningSocket> socket = io::ListeningSocket::bind(*address);
  if (!socket) return report_failure(invocation, Exit::Refused, "in_use", socket.error().text());
  const std::string bound = socket->address().to_string();

  const std::string name = invocation.arguments.value("--name").value_or("whoami");
  Echo echo(loop, {.name = printable(name), .host = io::host_name(), .pid = io::process_id()});
  // As many connections as a load test brings; bodies are counted, not kept.
  SmallServer server(loop, echo,
                     {.connections = 10'000,
                      .body_bytes = 1024 * mib,
                      .body = RequestBody::Discard,
                      .idle = std::chrono::seconds(75),
                      .receive = std::chrono::minutes(10),
                      .send = std::chrono::minutes(10)});
  io::Scope scope(loop);
  bool stopping = false;
  const auto signals = io::Signals::make(loop, {SIGTERM, SIGINT}, [&](int) {
    if (!stopping) scope.spawn(stop(loop, server));
    stopping = true;
  });
  if (!signals) return report_failure(invocation, Exit::Refused, "system", signals.error().text());
  server.listen(std::move(*socket));
  invocation.terminal.out(fmt::format("{} listens on {}\n", printable(name), bound));
  loop.run();
  return Exit::Done;
}

}  // namespace

Command whoami_command() {
  return {.name = "whoami",
          .summary = "a tiny HTTP server to try things with: answers who it is and what it was asked",
          .usage = "",
          .details =
              "/             name, process, host, remote address, request line and headers; ?json as JSON\n"
              "/healthz      200\n"
              "/sleep/MS     answers that many milliseconds later\n"
              "/status/CODE  answers with that status\n"
              "/bytes/N      answers with that many bytes\n"
              "SIGTERM lets requests under way finish.",
          .example = "ballast whoami --listen 127.0.0.1:8081 --name one",
          .options = {{"--listen", "ADDRESS", "host:port, :port or unix:/path (127.0.0.1:8081); port 0: any free one"},
                      {"--name", "NAME", "what it calls itself (whoami)"}},
          .run = run};
}

}  // namespace ballast::admin

// grpc.health.v1.Health/Check, asked on an HTTP/2 connection of its own.
#include <fmt/format.h>

#include "io/loop.h"
#include "io/scope.h"
#include "traffic/control/probe_parts.h"
#include "wire/grpc/health.h"
#include "wire/grpc/status.h"
#include "wire/http/parse.h"
#include "wire/http2/session.h"

namespace ballast::traffic {
namespace {

using model::TargetReason;

constexpr std::size_t head_bytes_max = 32 * kib;
constexpr std::size_t message_bytes_max = 4 * kib;  // the answer is seven bytes long

class Asker final : public http2::SessionOwner {
 public:
  void on_request(const std::shared_ptr<http2::Stream>&) override {}  // a server asks nothing
  io::Duration rest_max() override { return std::chrono::hours(1); }  // the check's own deadline ends it
};

// What a server said, for the operator: printable.
std::string said(Bytes message) {
  constexpr std::size_t enough = 200;
  if (message.empty()) return {};
  std::string text = ": ";
  for (const char byte : message.substr(0, enough)) text += byte >= ' ' && byte <= '~' ? byte : '?';
  return text;
}

class Conversation {
 public:
  Conversation(const config::HealthCheck& check, const http2::Session& session, http2::Stream& stream,
               io::Deadline deadline)
      : check_(check),
        session_(session),
        stream_(stream),
        deadline_(deadline),
        question_(check.service.empty() ? std::string("Health/Check")
                                        : fmt::format("Health/Check of {}", check.service)) {}

  io::Task<ProbeResult> run() {
    http::ResponseHead head;
    while (true) {
      while (!stream_.has_head()) {
        if (stream_.is_lost()) co_return lost(stream_.code());
        if (co_await stream_.until_readable(deadline_) != io::Wake::Event) co_return late();
      }
      const http::HeadLimits limits{
          .line = head_bytes_max, .header = head_bytes_max, .head = head_bytes_max, .header_count = http::fields_max};
      if (stream_.head_defect() != http::Defect::None ||
          http::ResponseParser::parse(stream_.head(), limits, {.to_head = false}, head).progress !=
              http::Progress::Complete) {
        co_return bad("the answer is not valid HTTP");
      }
      if (head.status >= 200) break;
      stream_.skip_head();
    }
    if (head.status != 200)
      co_return bad(fmt::format("HTTP status {}, wanted 200: no gRPC is spoken there", head.status));
    if (const http::Field* field = head.fields.find(Bytes("grpc-status")); field != nullptr) {
      co_return judge(grpc::status_of(head.fields.value(*field)), message_of(head), {});
    }
    http2::StreamBody body(stream_, http::Framing::Chunked, 0);
    std::string message;
    while (true) {
      const http::Pulled pulled = body.try_pull();
      if (pulled.state == http::PullState::End) break;
      if (pulled.state == http::PullState::Failed) co_return lost(pulled.code);
      message += pulled.data;
      if (message.size() > message_bytes_max) co_return bad("the answer is longer than any");
      if (pulled.state == http::PullState::WouldBlock && co_await body.until_ready(deadline_) != io::Wake::Event) {
        co_return late();
      }
    }
    const auto status = grpc::status_in_trailers(body.trailers());
    if (!status.has_value()) co_return bad("the answer has no grpc-status");
    co_return judge(*status, {}, message);
  }

 private:
  ProbeResult late() const {
    return probe_failed(TargetReason::TimedOut,
                        fmt::format("{} gave no answer in {} ms", question_, check_.timeout.count()));
  }
  ProbeResult lost(Code code) const {
    if (session_.defect() != http2::SessionDefect::None) return bad("what the server speaks is not HTTP/2");
    return bad(code == Code::Reset ? "the call was reset" : "the connection was closed before the answer");
  }
  ProbeResult bad(std::string_view what) const {
    return probe_failed(TargetReason::BadResponse, fmt::format("{}: {}", question_, what));
  }
  static Bytes message_of(const http::ResponseHead& head) {
    const http::Field* field = head.fields.find(Bytes("grpc-message"));
    return field == nullptr ? Bytes() : head.fields.value(*field);
  }

  ProbeResult judge(grpc::Status status, Bytes words, Bytes message) const {
    switch (status) {
      case grpc::Status::Ok:
        break;
      case grpc::Status::Unimplemented:
        return bad(fmt::format("the server has no health service (UNIMPLEMENTED){}", said(words)));
      case grpc::Status::NotFound:
        return probe_failed(
            TargetReason::NotServing,
            fmt::format("{}: the server does not know this service (NOT_FOUND){}", question_, said(words)));
      default:
        return bad(fmt::format("grpc-status {}{}", to_string(status), said(words)));
    }
    const auto serving = grpc::parse_health_response(message);
    if (!serving.has_value()) return bad("the answer is no HealthCheckResponse");
    const std::string gave = fmt::format("{} gave {}", question_, to_string(*serving));
    if (*serving == grpc::Serving::Serving) return probe_passed(gave);
    return probe_failed(TargetReason::NotServing, gave + ", wanted SERVING");
  }

  const config::HealthCheck& check_;
  const http2::Session& session_;
  http2::Stream& stream_;
  io::Deadline deadline_;
  std::string question_;
};

}  // namespace

io::Task<ProbeResult> probe_grpc(io::Loop& loop, const config::HealthCheck& check, io::Stream& transport,
                                 GrpcQuestion question, io::Deadline deadline) {
  Asker asker;
  const auto session = http2::Session::make(http2::Session::Role::Client, loop, asker, {.head_bytes = head_bytes_max});
  if (session == nullptr) co_return probe_failed(TargetReason::BadResponse, "no memory for an HTTP/2 connection");
  const std::string timeout = fmt::format("{}m", check.timeout.count());
  const http::FieldLine lines[] = {{"Host", question.authority},
                                   {"content-type", "application/grpc"},
                                   {"te", "trailers"},
                                   {"user-agent", "ballast-health-check"},
                                   {"grpc-timeout", timeout}};
  Buffer message;
  grpc::write_health_request(message, check.service);
  const auto stream = session->request({"POST", "/grpc.health.v1.Health/Check", lines}, question.scheme, std::nullopt,
                                       http2::Stream::BodyFollows::Yes);
  if (stream == nullptr) co_return probe_failed(TargetReason::BadResponse, "no memory for a call");
  stream->try_write(message.view());  // smaller than any stream's room
  stream->end();
  io::Scope scope(loop);
  scope.spawn(session->run(transport, {}));
  Conversation conversation(check, *session, *stream, deadline);
  ProbeResult result = co_await conversation.run();
  session->drain();  // says good-bye
  co_await scope.close();
  co_return result;
}

}  // namespace ballast::traffic

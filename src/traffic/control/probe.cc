#include "traffic/control/probe.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "io/loop.h"
#include "io/tcp.h"
#include "traffic/control/probe_parts.h"
#include "traffic/health/height.h"
#include "wire/ajp/session.h"
#include "wire/http/connection.h"
#include "wire/http/outgoing.h"
#include "wire/http/parse.h"
#include "wire/tls/stream.h"

namespace ballast::traffic {
namespace {

using model::TargetReason;

std::string wanted(const std::vector<config::StatusRange>& ranges) {
  std::string text;
  for (const config::StatusRange& range : ranges) {
    if (!text.empty()) text += ',';
    text += range.first == range.last ? fmt::format("{}", range.first) : fmt::format("{}-{}", range.first, range.last);
  }
  return text;
}

constexpr auto failed = probe_failed;

ProbeResult judge(const config::HealthCheck& check, int status, const std::string& question) {
  const bool good =
      std::any_of(check.success_codes.begin(), check.success_codes.end(),
                  [&](const config::StatusRange& range) { return range.first <= status && status <= range.last; });
  if (good) return probe_passed(fmt::format("{} gave {}", question, status));
  return failed(TargetReason::ResponseCodeMismatch,
                fmt::format("{} gave {}, wanted {}", question, status, wanted(check.success_codes)));
}

// The rest of an answer, as far as a check wants it.
io::Task<Result<std::string>> read_body(http::Connection& reader, const http::ResponseHead& head,
                                        io::Deadline deadline) {
  constexpr std::size_t body_bytes_max = 64 * kib;  // a height and what stands around it
  http::ConnectionBody body(reader);
  body.begin(head.framing, head.content_length, {});
  std::string text;
  while (!body.ended()) {
    const http::Pulled pulled = body.try_pull();
    if (pulled.state == http::PullState::Failed) co_return fail(pulled.code);
    if (pulled.state == http::PullState::End) break;
    text += pulled.data;
    if (text.size() > body_bytes_max) co_return fail(Code::TooLarge);
    if (pulled.state == http::PullState::WouldBlock && co_await body.until_ready(deadline) != io::Wake::Event) {
      co_return fail(Code::TimedOut);
    }
  }
  co_return text;
}

// A height is no verdict yet.
io::Task<ProbeResult> read_height(const config::JsonRpc& call, http::Connection& reader, const http::ResponseHead& head,
                                  io::Deadline deadline) {
  const Result<std::string> body = co_await read_body(reader, head, deadline);
  if (!body) {
    const bool late = body.error().code() == Code::TimedOut;
    co_return failed(late ? TargetReason::TimedOut : TargetReason::BadResponse,
                     fmt::format("{}: the answer's body: {}", call.method, body.error().text()));
  }
  const Result<std::uint64_t> height = height_in(*body, call.result);
  if (!height) co_return failed(TargetReason::BadResponse, fmt::format("{}: {}", call.method, height.error().text()));
  ProbeResult result = probe_passed(fmt::format("height {}", *height));
  result.height = *height;
  co_return result;
}

// Sends the question and reads the answer's head; the body is nobody's business, but a jsonrpc check's.
io::Task<ProbeResult> ask(io::Loop& loop, const config::HealthCheck& check, io::Stream& stream, Bytes host,
                          io::Deadline deadline) {
  constexpr std::size_t head_max = 32 * kib;
  const bool is_call = check.protocol == config::CheckProtocol::JsonRpc;
  const std::string method = is_call ? "POST" : check.method;
  const std::string question = is_call ? check.jsonrpc.method : fmt::format("{} {}", check.method, check.path);
  std::vector<http::FieldLine> lines{{"Host", host}, {"User-Agent", "ballast-health-check"}, {"Accept", "*/*"}};
  const std::string call = fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"{}","params":{}}})", check.jsonrpc.method,
                                       check.jsonrpc.params);
  http::OutgoingFraming framing{.use = http::ConnectionUse::Close};
  if (is_call) {
    lines.push_back({"Content-Type", "application/json"});
    framing.framing = http::Framing::Length;
    framing.length = call.size();
  }
  Buffer out;
  http::write_head(out, http::OutgoingRequest{method, check.path, lines}, framing);
  if (is_call) out.append(Bytes(call));
  const Result<> sent = co_await stream.write(out.view(), deadline);
  if (!sent) co_return failed(TargetReason::BadResponse, fmt::format("{}: sending: {}", question, sent.error().text()));

  http::Connection reader(loop, stream);
  http::ResponseHead head;
  const http::HeadLimits limits{
      .line = head_max, .header = head_max, .head = head_max, .header_count = http::fields_max};
  while (true) {
    const http::ResponseParser::Question to{.to_head = !is_call && check.method == "HEAD"};
    const http::Outcome outcome = http::ResponseParser::parse(reader.held(), limits, to, head);
    if (outcome.progress == http::Progress::Failed) {
      co_return failed(TargetReason::BadResponse,
                       fmt::format("{}: the answer is not HTTP: {}", question, http::explain(outcome.defect)));
    }
    if (outcome.progress == http::Progress::Complete) {
      if (head.status >= 200) {
        ProbeResult result = judge(check, head.status, question);
        if (!is_call || !result.passed) co_return result;
        reader.consume(head.size);
        co_return co_await read_height(check.jsonrpc, reader, head, deadline);
      }
      reader.consume(head.size);  // an interim response
      if (reader.has_held()) continue;
    }
    const io::Transfer got = reader.receive();
    if (got.state == io::TransferState::Done) continue;
    if (got.state == io::TransferState::End) {
      co_return failed(TargetReason::BadResponse,
                       fmt::format("{}: the connection was closed before the answer", question));
    }
    if (got.state == io::TransferState::Failed) {
      co_return failed(TargetReason::BadResponse, fmt::format("{}: {}", question, to_string(got.code)));
    }
    reader.keep();
    if (co_await stream.until_readable(deadline) != io::Wake::Event) {
      co_return failed(TargetReason::TimedOut,
                       fmt::format("{} gave no answer in {} ms", question, check.timeout.count()));
    }
  }
}

io::Task<ProbeResult> ask_container(io::Loop& loop, const config::HealthCheck& check, io::TcpStream& stream,
                                    io::Deadline deadline) {
  http::Connection reader(loop, stream);
  const Result<> there = co_await ajp::ping(reader, deadline);
  if (there) co_return probe_passed("CPONG");
  if (there.error().code() == Code::TimedOut) {
    co_return failed(TargetReason::TimedOut, fmt::format("CPING: no answer in {} ms", check.timeout.count()));
  }
  co_return failed(TargetReason::BadResponse, fmt::format("CPING: {}", there.error().text()));
}

}  // namespace

io::Task<ProbeResult> probe(io::Loop& loop, const config::HealthCheck& check, ProbeTarget target) {
  if (check.port.has_value()) target.address.set_port(*check.port);
  const io::Deadline deadline = io::Deadline::at(loop.fresh_now() + check.timeout);
  if (check.protocol == config::CheckProtocol::Exec) co_return co_await probe_exec(loop, check, target, deadline);
  if (check.protocol == config::CheckProtocol::Udp) co_return co_await probe_udp(loop, check, target, deadline);
  auto stream = co_await io::TcpStream::connect(loop, target.address, deadline);
  if (!stream) {
    const bool late = stream.error().code() == Code::TimedOut;
    co_return failed(late ? TargetReason::TimedOut : TargetReason::ConnectFailed, stream.error().text());
  }
  if (!check.port.has_value() && !target.introduction.empty()) {
    const Result<> sent = co_await stream->write(target.introduction, deadline);
    if (!sent) co_return failed(TargetReason::BadResponse, fmt::format("PROXY header: {}", sent.error().text()));
  }
  if (check.protocol == config::CheckProtocol::Tcp) {
    stream->close();
    co_return probe_passed("connected");
  }
  using enum config::CheckProtocol;
  if (check.protocol == Http || check.protocol == JsonRpc || check.protocol == Mysql || check.protocol == Ajp) {
    ProbeResult result;
    if (check.protocol == Mysql) {
      result = co_await probe_mysql(check, *stream, deadline);
    } else if (check.protocol == Ajp) {
      result = co_await ask_container(loop, check, *stream, deadline);
    } else {
      result = co_await ask(loop, check, *stream, target.host, deadline);
    }
    stream->close();
    co_return result;
  }
  if (check.protocol == Grpc && target.tls.context == nullptr) {
    co_return co_await probe_grpc(loop, check, *stream, {.authority = target.host, .scheme = "http"}, deadline);
  }
  const auto secure =
      tls::Stream::client(target.tls.context, std::move(*stream), {.name = target.tls.name, .slot = nullptr});
  if (secure == nullptr) co_return failed(TargetReason::ConnectFailed, "no memory for a TLS connection");
  const tls::HandshakeEnd end = co_await secure->handshake(deadline);
  if (!is_done(end)) {
    secure->close();
    if (end == tls::HandshakeEnd::Timeout) {
      co_return failed(TargetReason::TimedOut,
                       fmt::format("the TLS handshake was not done in {} ms", check.timeout.count()));
    }
    co_return failed(TargetReason::TlsFailed, fmt::format("TLS handshake: {}", secure->failure()));
  }
  if (check.protocol == Grpc) {
    if (secure->protocol() == "h2") {
      co_return co_await probe_grpc(loop, check, *secure, {.authority = target.host, .scheme = "https"}, deadline);
    }
    secure->close();
    co_return failed(TargetReason::BadResponse, "the server does not speak HTTP/2 (ALPN h2)");
  }
  ProbeResult result = probe_passed("shook hands");
  if (check.protocol == Https) result = co_await ask(loop, check, *secure, target.host, deadline);
  secure->close();
  co_return result;
}

}  // namespace ballast::traffic

#include "traffic/control/probe.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "io/loop.h"
#include "io/tcp.h"
#include "wire/http/connection.h"
#include "wire/http/outgoing.h"
#include "wire/http/parse.h"

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

ProbeResult failed(TargetReason reason, std::string words) {
  return {.reason = reason, .words = std::move(words)};
}

ProbeResult judge(const config::HealthCheck& check, int status, const std::string& question) {
  const bool good =
      std::any_of(check.success_codes.begin(), check.success_codes.end(),
                  [&](const config::StatusRange& range) { return range.first <= status && status <= range.last; });
  if (good)
    return {.passed = true, .reason = TargetReason::Passed, .words = fmt::format("{} gave {}", question, status)};
  return failed(TargetReason::ResponseCodeMismatch,
                fmt::format("{} gave {}, wanted {}", question, status, wanted(check.success_codes)));
}

// Sends the question and reads the answer's head; the body is nobody's business.
io::Task<ProbeResult> ask(io::Loop& loop, const config::HealthCheck& check, io::TcpStream& stream, Bytes host,
                          io::Deadline deadline) {
  constexpr std::size_t head_max = 32 * kib;
  const std::string question = fmt::format("{} {}", check.method, check.path);
  const std::vector<http::FieldLine> lines{{"Host", host}, {"User-Agent", "ballast-health-check"}, {"Accept", "*/*"}};
  Buffer out;
  http::write_head(out, http::OutgoingRequest{check.method, check.path, lines},
                   http::OutgoingFraming{.use = http::ConnectionUse::Close});
  const Result<> sent = co_await stream.write(out.view(), deadline);
  if (!sent) co_return failed(TargetReason::BadResponse, fmt::format("{}: sending: {}", question, sent.error().text()));

  http::Connection reader(loop, stream);
  http::ResponseHead head;
  const http::HeadLimits limits{
      .line = head_max, .header = head_max, .head = head_max, .header_count = http::fields_max};
  while (true) {
    const http::ResponseParser::Question to{.to_head = check.method == "HEAD"};
    const http::Outcome outcome = http::ResponseParser::parse(reader.held(), limits, to, head);
    if (outcome.progress == http::Progress::Failed) {
      co_return failed(TargetReason::BadResponse,
                       fmt::format("{}: the answer is not HTTP: {}", question, http::explain(outcome.defect)));
    }
    if (outcome.progress == http::Progress::Complete) {
      if (head.status >= 200) co_return judge(check, head.status, question);
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

}  // namespace

io::Task<ProbeResult> probe(io::Loop& loop, const config::HealthCheck& check, ProbeTarget target) {
  if (check.port.has_value()) target.address.set_port(*check.port);
  const io::Deadline deadline = io::Deadline::at(loop.fresh_now() + check.timeout);
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
    co_return ProbeResult{.passed = true, .reason = TargetReason::Passed, .words = "connected"};
  }
  ProbeResult result = co_await ask(loop, check, *stream, target.host, deadline);
  stream->close();
  co_return result;
}

}  // namespace ballast::traffic

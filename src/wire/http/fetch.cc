#include "wire/http/fetch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/dns.h"
#include "io/loop.h"
#include "io/tcp.h"
#include "wire/http/connection.h"
#include "wire/http/head_writer.h"
#include "wire/http/list.h"
#include "wire/http/parse.h"
#include "wire/tls/either_stream.h"

namespace ballast::http {

namespace {

constexpr HeadLimits head_limits{};

void write_request(Buffer& out, const FetchRequest& request) {
  HeadWriter head(out);
  head.request_line(request.method, request.target);
  head.field("Host", Bytes(request.host));
  if (!request.content_type.empty()) head.field("Content-Type", Bytes(request.content_type));
  for (const FetchField& each : request.fields) head.field(each.name, Bytes(each.value));
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    head.field("Content-Length", request.body.size());
  }
  head.field("Connection", Bytes("close"));
  head.end();
  out.append(request.body);
}

// Waits for more bytes of a head.
io::Task<Result<>> receive_more(Connection& connection, io::Deadline deadline) {
  while (true) {
    const io::Transfer got = connection.receive();
    if (got.state == io::TransferState::Done) co_return Result<>();
    if (got.state == io::TransferState::End) co_return fail(Code::Closed);
    if (got.state == io::TransferState::Failed) co_return fail(got.code);
    connection.keep();
    const io::Wake wake = co_await connection.stream().until_readable(deadline);
    if (wake != io::Wake::Event) co_return fail(io::error_of(wake));
  }
}

// A name that is verified has no port and no brackets.
io::Task<Result<tls::EitherStream>> connect(io::Loop& loop, io::SocketAddress to, const FetchRequest& request,
                                            io::Deadline deadline) {
  io::TcpStream tcp = co_await io::need(io::TcpStream::connect(loop, to, deadline));
  if (request.tls == nullptr) co_return tls::EitherStream(std::move(tcp));
  auto stream = tls::Stream::client(request.tls, std::move(tcp), {.name = request.server_name, .slot = nullptr});
  if (stream == nullptr) co_return fail(Code::Exhausted);
  const tls::HandshakeEnd end = co_await stream->handshake(deadline);
  if (is_done(end)) co_return tls::EitherStream(std::move(stream));
  stream->close();
  if (end == tls::HandshakeEnd::Timeout) co_return fail(Code::TimedOut);
  if (end == tls::HandshakeEnd::CalledOff) co_return fail(Code::Cancelled);
  co_return fail(Code::Malformed, fmt::format("the TLS handshake failed ({}): {}", to_string(end), stream->failure()));
}

}  // namespace

std::string_view FetchResponse::field(std::string_view name) const {
  for (const FetchField& each : fields) {
    if (iequals(each.name, name)) return each.value;
  }
  return {};
}

io::Task<Result<FetchResponse>> fetch(io::Loop& loop, io::SocketAddress to, FetchRequest request,
                                      io::Deadline deadline) {
  tls::EitherStream either = co_await io::need(connect(loop, to, request, deadline));
  io::Stream& stream = either.get();
  Buffer out;
  write_request(out, request);
  // A server that refuses a large body answers and closes before it has read it: its answer is what counts.
  const Result<> sent = co_await stream.write(out.view(), deadline);

  Connection connection(loop, stream);
  ResponseHead head;
  FetchResponse response;
  while (true) {
    const Outcome outcome =
        ResponseParser::parse(connection.held(), head_limits, {.to_head = request.method == "HEAD"}, head);
    if (outcome.progress == Progress::Failed) co_return fail(Code::Malformed);
    if (outcome.progress == Progress::Complete) {
      if (head.status != 100) {
        // Their bytes are the connection's.
        response.status = head.status;
        for (const Field& field : head.fields) {
          response.fields.push_back({std::string(head.fields.name(field)), std::string(head.fields.value(field))});
        }
      }
      connection.consume(head.size);
      if (head.status != 100) break;
      continue;
    }
    const Result<> more = co_await receive_more(connection, deadline);
    if (!more) co_return fail(sent ? more.error() : sent.error());
  }

  ConnectionBody body(connection);
  body.begin(head.framing, head.content_length, head_limits);
  while (true) {
    const Pulled pulled = body.try_pull();
    if (pulled.state == PullState::End) break;
    if (pulled.state == PullState::Failed) co_return fail(pulled.code);
    if (pulled.state == PullState::Data) {
      if (response.body.size() + pulled.data.size() > request.response_bytes_max) co_return fail(Code::TooLarge);
      response.body += pulled.data;
      continue;
    }
    const io::Wake wake = co_await body.until_ready(deadline);
    if (wake != io::Wake::Event) co_return fail(io::error_of(wake));
  }
  stream.close();
  co_return response;
}

io::Task<Result<FetchResponse>> fetch_url(io::Loop& loop, io::Resolver& resolver, Url url, FetchRequest request,
                                          io::Deadline deadline) {
  const auto named = [&](Error error) {
    return fail(std::move(error).within(
        fmt::format("{} {}://{}{}", request.method, url.secure ? "https" : "http", url.authority, url.target)));
  };
  if (url.secure && request.tls == nullptr) co_return named(Error(Code::Invalid, "https without a TLS context"));
  if (!url.secure) request.tls = nullptr;
  Result<io::Resolved> resolved = co_await resolver.resolve(url.host, url.port, deadline);
  if (!resolved) co_return named(std::move(resolved.error()));
  request.target = url.target;
  request.host = url.authority;
  request.server_name = url.host;
  // Nobody has more that are worth waiting for.
  constexpr std::size_t tries_max = 4;
  Result<FetchResponse> answer = fail(Code::Unreachable);
  for (std::size_t i = 0; i < std::min(tries_max, resolved->addresses.size()); ++i) {
    answer = co_await fetch(loop, resolved->addresses[i], request, deadline);
    if (answer) co_return std::move(*answer);
    // Only where nobody answered may another be asked: what was sent may have been acted upon.
    const Code code = answer.error().code();
    if (code != Code::Refused && code != Code::Unreachable) break;
    answer = fail(std::move(answer.error()).within(resolved->addresses[i].to_string()));
  }
  co_return named(std::move(answer.error()));
}

}  // namespace ballast::http

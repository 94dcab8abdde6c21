#include "wire/http/fetch.h"

#include "io/loop.h"
#include "io/tcp.h"
#include "wire/http/connection.h"
#include "wire/http/head_writer.h"
#include "wire/http/parse.h"

namespace ballast::http {

namespace {

constexpr HeadLimits head_limits{};

void write_request(Buffer& out, const FetchRequest& request) {
  HeadWriter head(out);
  head.request_line(request.method, request.target);
  head.field("Host", Bytes(request.host));
  if (!request.content_type.empty()) head.field("Content-Type", Bytes(request.content_type));
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

}  // namespace

io::Task<Result<FetchResponse>> fetch(io::Loop& loop, io::SocketAddress to, FetchRequest request,
                                      io::Deadline deadline) {
  io::TcpStream stream = co_await io::need(io::TcpStream::connect(loop, to, deadline));
  Buffer out;
  write_request(out, request);
  // A server that refuses a large body answers and closes before it has read it: its answer is what counts.
  const Result<> sent = co_await stream.write(out.view(), deadline);

  Connection connection(loop, stream);
  ResponseHead head;
  while (true) {
    const Outcome outcome =
        ResponseParser::parse(connection.held(), head_limits, {.to_head = request.method == "HEAD"}, head);
    if (outcome.progress == Progress::Failed) co_return fail(Code::Malformed);
    if (outcome.progress == Progress::Complete) {
      connection.consume(head.size);
      if (head.status != 100) break;
      continue;
    }
    const Result<> more = co_await receive_more(connection, deadline);
    if (!more) co_return fail(sent ? more.error() : sent.error());
  }

  FetchResponse response{.status = head.status, .body = {}};
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

}  // namespace ballast::http

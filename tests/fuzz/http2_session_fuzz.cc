// Fuzzes Session as a server: whatever a client sends behind a good beginning, every head that is handed up is a whole
// HTTP/1.1 head, a body is what its stream says, nothing outlives its connection, and the session ends. The first byte
// of the input chooses how it is cut and whether writes have to wait, the second the windows.
//
// The canary's handler takes a body to have come in one piece.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/scope.h"
#include "require.h"
#include "wire/http/parse.h"
#include "wire/http2/session.h"

namespace {

using namespace ballast;
using ballast::fuzz::require;

constexpr Bytes beginning("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 24 + 9);

// The client's connection: its bytes in pieces, with rests between them; what is sent to it is counted.
class MemoryStream final : public io::Stream {
 public:
  MemoryStream(io::Loop& loop, std::string input, std::size_t piece, bool blocks)
      : loop_(loop), input_(std::move(input)), piece_(piece), blocks_(blocks) {
    ready_.set_readable();
    ready_.set_writable();
  }

  io::Transfer try_read(char* into, std::size_t size) override {
    if (at_ == input_.size() && rests_ == rests_max) return {io::TransferState::End, Code::Closed, 0};
    if (rested_) {
      rested_ = false;
    } else {
      rested_ = true;
      rests_ += at_ == input_.size() ? 1 : 0;
      ready_.not_readable();
      loop_.at_round_end([this] { ready_.set_readable(); });
      return {};
    }
    const std::size_t count = std::min({size, piece_, input_.size() - at_});
    if (count == 0) return try_read(into, size);
    std::copy_n(input_.data() + at_, count, into);
    at_ += count;
    return {io::TransferState::Done, Code::Closed, count};
  }
  using io::Stream::try_write;
  io::Transfer try_write(std::span<const Bytes> parts) override {
    blocked_ = blocks_ && !blocked_;
    if (blocked_) {
      ready_.not_writable();
      loop_.at_round_end([this] { ready_.set_writable(); });
      return {};
    }
    return {io::TransferState::Done, Code::Closed, std::min(parts.front().size(), piece_ * 8)};
  }
  io::Ready until_readable(io::Deadline deadline) override { return ready_.readable(deadline); }
  io::Ready until_writable(io::Deadline deadline) override { return ready_.writable(deadline); }
  bool may_read() const override { return ready_.may_read(); }
  void look() override {}
  bool end() override { return true; }
  void close() override { open_ = false; }
  void reset() override { open_ = false; }
  bool is_open() const override { return open_; }
  io::Loop& loop() const override { return loop_; }
  bool is_plain() const override { return false; }
  io::Descriptor& descriptor() override { std::abort(); }

 private:
  static constexpr int rests_max = 4;  // behind the last byte: what is under way may end

  io::Loop& loop_;
  std::string input_;
  std::size_t at_ = 0;
  std::size_t piece_;
  bool blocks_;
  bool blocked_ = false;
  bool rested_ = false;
  int rests_ = 0;
  bool open_ = true;
  io::Readiness ready_;
};

class Handler final : public http2::SessionOwner {
 public:
  explicit Handler(io::Loop& loop) : requests_(loop) {}

  void on_request(const std::shared_ptr<http2::Stream>& stream) override {
    require(stream->has_head(), "a request has a head");
    kept_.push_back(stream);
    requests_.spawn(answer(stream));
  }
  io::Duration rest_max() override { return std::chrono::seconds(1); }
  io::Task<void> close() { return requests_.close(); }
  const std::vector<std::shared_ptr<http2::Stream>>& kept() const { return kept_; }

 private:
  using Follows = http2::Stream::BodyFollows;

  static io::Task<void> answer(std::shared_ptr<http2::Stream> stream) {
    io::Loop& loop = stream->loop();
    if (stream->head_defect() != http::Defect::None) {
      stream->respond({.status = 400, .length = 0}, Follows::No);
      stream->close();
      co_return;
    }
    http::RequestHead head;
    const http::Outcome outcome = http::RequestParser::parse(stream->head(), {}, head);
    require(outcome.progress != http::Progress::NeedMore, "a head is whole");
    require(outcome.progress != http::Progress::Complete || head.size == stream->head().size(), "and no more than one");
    stream->respond({.status = 200, .lines = {}, .length = {}}, Follows::Yes);
    http2::StreamBody body(*stream, http::Framing::Chunked, 0);
    [[maybe_unused]] int pieces = 0;
    while (true) {
      const http::Pulled pulled = body.try_pull();
      if (pulled.state == http::PullState::Failed) co_return stream->reset();
      if (pulled.state == http::PullState::End) break;
      if (pulled.state == http::PullState::WouldBlock) {
        if (co_await body.until_ready(loop.after(std::chrono::seconds(1))) != io::Wake::Event)
          co_return stream->reset();
        continue;
      }
      ++pieces;
#ifdef BALLAST_CANARY
      require(pieces == 1, "a body comes in one piece");
#endif
      std::string echo(pulled.data);
      Bytes left(echo);
      while (!left.empty()) {
        const io::Transfer put = stream->try_write(std::span<const Bytes>(&left, 1));
        if (put.state == io::TransferState::Failed) co_return stream->reset();
        left.remove_prefix(put.count);
        if (put.state == io::TransferState::WouldBlock &&
            co_await stream->until_writable(loop.after(std::chrono::seconds(1))) != io::Wake::Event) {
          co_return stream->reset();
        }
      }
    }
    require(body.ended(), "a body that has no more has ended");
    stream->trailers_at_end(stream->received_trailers());
    stream->end();
    if (co_await stream->until_sent(std::chrono::seconds(1))) stream->close();
  }

  io::Scope requests_;
  std::vector<std::shared_ptr<http2::Stream>> kept_;
};

io::Task<void> serve(MemoryStream& transport, http2::SessionLimits limits) {
  Handler handler(transport.loop());
  {
    const auto session = http2::Session::make(http2::Session::Role::Server, transport.loop(), handler, limits);
    co_await session->run(transport, {});
    require(!transport.is_open(), "the connection has ended");
    for (const auto& stream : handler.kept()) {
      require(stream->is_lost() || stream->peer_ended(), "no stream goes on without its connection");
    }
    co_await handler.close();
  }
  for (const auto& stream : handler.kept()) {
    stream->consume(stream->received().size());  // what is held is still there, and harmless
    stream->reset();
  }
  transport.loop().stop();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<io::Loop> loop = std::move(*io::Loop::make());
  if (size < 2) return 0;
  constexpr std::size_t pieces[] = {1, 9, 100, 20'000};
  std::string input(beginning);
  input.append(reinterpret_cast<const char*>(data + 2), size - 2);
  // One by one, long inputs would only be slow.
  const std::size_t piece = std::max(pieces[data[0] % 4U], size / 50);
  MemoryStream transport(*loop, std::move(input), piece, (data[0] & 4U) != 0);
  http2::SessionLimits limits;
  limits.streams = 8;
  limits.stream_window = (data[1] & 1U) != 0 ? 100 : 64 * kib;
  limits.head_bytes = (data[1] & 2U) != 0 ? 200 : 64 * kib;
  io::Scope scope(*loop);
  loop->fresh_now();
  scope.spawn(serve(transport, limits));
  if (!scope.empty()) loop->run();
  require(scope.empty(), "the session ends");
  return 0;
}

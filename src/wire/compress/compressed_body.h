// CompressedBody: another body, compressed as it is pulled.
//
// What its source has at the moment is compressed together; when the source has no more for now, all of it is flushed,
// so that an event or a slow page is never kept back. After so much input it lets the others of its worker have their
// turn. Owned by who responds; the source outlives it.
#pragma once

#include <memory>
#include <optional>

#include "io/loop.h"
#include "wire/compress/encoder.h"
#include "wire/http/body.h"

namespace ballast::compress {

class CompressedBody final : public http::Body {
 public:
  // Between two turns of other work: some milliseconds of compressing.
  static constexpr std::size_t turn_bytes = 128 * kib;
  static constexpr io::Duration pause = std::chrono::milliseconds(1);

  CompressedBody(io::Loop& loop, http::Body& source, std::unique_ptr<Encoder> encoder)
      : loop_(loop), source_(source), encoder_(std::move(encoder)), pause_(ready_) {
    ready_.set_readable();
  }

  http::Pulled try_pull() override;
  io::Ready until_ready(io::Deadline deadline) override;
  http::Framing framing() const override { return http::Framing::Chunked; }
  std::optional<std::uint64_t> left() const override { return ended_ ? std::optional<std::uint64_t>(0) : std::nullopt; }
  bool ended() const override { return ended_; }
  Bytes trailers() const override { return source_.trailers(); }
  // Of the source, taken so far.
  std::uint64_t source_bytes() const { return source_bytes_; }

 private:
  class Pause final : public io::Timer {
   public:
    explicit Pause(io::Readiness& ready) : ready_(ready) {}

   private:
    void expired() override { ready_.set_readable(); }
    io::Readiness& ready_;
  };
  http::Pulled encode(Bytes input, Step step);
  http::Pulled made() const;

  io::Loop& loop_;
  http::Body& source_;
  std::unique_ptr<Encoder> encoder_;
  Buffer out_;  // one piece of the source, compressed: bounded by it
  bool pending_ = false;
  bool ended_ = false;
  std::size_t turn_ = 0;
  std::uint64_t source_bytes_ = 0;
  io::Readiness ready_;
  Pause pause_;
};

}  // namespace ballast::compress

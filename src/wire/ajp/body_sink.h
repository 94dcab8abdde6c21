// BodySink: a request's body on its way to a container, as a stream that takes bytes when the container asks for them.
//
// AJP lets the container ask: it says how many bytes it will take (GetBody), and gets one packet of as many or fewer;
// an empty one is the end. Only the first packet of a body of stated length goes unasked, right behind the head. So one
// strand writes here (http::relay, as to any sink), while the one that reads the container's packets calls ask().
// Neither waits for the other: a container may ask, answer and go on asking in any order.
//
// Worker's thread; part of a Session. Its stream is written by nobody else.
#pragma once

#include <optional>

#include "base/buffer.h"
#include "io/descriptor.h"
#include "io/stream.h"
#include "wire/ajp/packet.h"

namespace ballast::ajp {

class BodySink final : public io::Stream {
 public:
  explicit BodySink(io::Stream& stream) : stream_(stream) {}

  // A new request, in packets of at most so many bytes; what the last one left is forgotten. Returns the buffer for its
  // head, which flush() sends.
  Buffer& begin(std::size_t packet_bytes);
  // Bytes of the body that are there already; bounded by what an Exchange holds (16 KiB).
  void hold(Bytes bytes) { held_.append(bytes); }
  // The body has a stated length above 0: its first packet is owed.
  void owe_first() { grant(room_); }
  // The container asks. False: it may not, with an answer still owed to it.
  bool ask(std::size_t wanted);
  // Writes what is ready as far as the kernel takes it; an Error's code, or none.
  std::optional<Code> push();
  // The same, waiting.
  io::Task<Result<>> flush(io::Duration idle);

  // Nothing is owed and nothing is half written: the next request may begin.
  bool is_idle() const { return allowance_ == 0 && out_.empty(); }
  std::size_t pending_bytes() const { return out_.size(); }

  io::Transfer try_write(std::span<const Bytes> parts) override;
  io::Ready until_writable(io::Deadline deadline) override;
  // The body is whole; an ask from now on gets the end.
  bool end() override;
  void close() override { stream_.close(); }
  void reset() override { stream_.reset(); }
  bool is_open() const override { return stream_.is_open(); }
  io::Loop& loop() const override { return stream_.loop(); }
  bool is_plain() const override { return false; }
  io::Descriptor& descriptor() override { return stream_.descriptor(); }

  // It is written to only.
  io::Transfer try_read(char* into, std::size_t size) override;
  io::Ready until_readable(io::Deadline deadline) override { return stream_.until_readable(deadline); }
  bool may_read() const override { return false; }
  void look() override {}

 private:
  void grant(std::size_t bytes);
  char* add_packet(std::size_t size);

  io::Stream& stream_;
  std::size_t room_ = 0;       // of one packet, for data
  std::size_t allowance_ = 0;  // of the next packet; 0: not asked for
  bool ended_ = false;
  Buffer out_;   // what the kernel would not take: at most the head and one packet of the body
  Buffer held_;  // came before it was asked for
  io::Readiness asked_;
};

}  // namespace ballast::ajp

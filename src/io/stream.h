// Stream: bytes both ways. TCP and Unix sockets are its forms here; TLS is another.
//
// The try_ calls never wait; when one says WouldBlock, wait for until_readable / until_writable and try again. read()
// and write() are the two together. close() ends the connection in order (FIN after what was written); reset() cuts it
// (RST). A stream that is still open when destroyed is reset, so that a peer can tell an abandoned message from a
// finished one. One thread: the Loop's. Each direction has at most one task waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "io/address.h"
#include "io/deadline.h"
#include "io/descriptor.h"
#include "io/task.h"

namespace ballast::io {

enum class TransferState : std::uint8_t { Done, WouldBlock, End, Failed };

// What one try did. Done: `count` bytes, at least one. End: the peer has sent its last byte. Failed: `code`.
struct Transfer {
  TransferState state = TransferState::WouldBlock;
  Code code = Code::Closed;
  std::size_t count = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;

  virtual Transfer try_read(char* into, std::size_t size) = 0;
  // Writes the parts in order, in one call to the kernel; may take fewer bytes than there are. At most write_parts_max
  // parts.
  virtual Transfer try_write(std::span<const Bytes> parts) = 0;
  Transfer try_write(Bytes bytes) { return try_write(std::span<const Bytes>(&bytes, 1)); }
  // The same, where more follows at once: the kernel may hold it back to send both in one packet.
  virtual Transfer try_write_more(Bytes bytes) { return try_write(bytes); }
  static constexpr std::size_t write_parts_max = 4;
  virtual Ready until_readable(Deadline deadline) = 0;
  virtual Ready until_writable(Deadline deadline) = 0;
  // False when a read is known to give WouldBlock: saves the call to the kernel.
  virtual bool may_read() const = 0;
  // Makes may_read() exact, where a read or a move that took just what was wanted has not told whether more is there.
  virtual void look() = 0;

  // No more bytes from us; the peer sees the end of the stream, and may go on sending. False where that has to be said
  // in bytes and the kernel takes none now: until_writable(), and again.
  virtual bool end() = 0;
  // What close() has to say, said before it. False where bytes that were taken would be lost by closing now:
  // until_writable(), and again.
  virtual bool may_close() { return true; }
  virtual void close() = 0;
  virtual void reset() = 0;
  virtual bool is_open() const = 0;
  virtual Loop& loop() const = 0;
  // Whether bytes may be moved descriptor to descriptor (no encryption, no framing in between).
  virtual bool is_plain() const = 0;
  // The same for bytes that are moved to it. `bytes`: how many are to come; one of which the kernel can be made to
  // encrypt what is moved may be made so for that many.
  virtual bool takes_moved(std::uint64_t /*bytes*/) { return is_plain(); }
  // The descriptor of a plain stream, or of one that takes what is moved; a broken invariant on others.
  virtual Descriptor& descriptor() = 0;

  // At least one byte, 0 at the end of the stream. The bytes lie in `into`.
  Task<Result<std::size_t>> read(char* into, std::size_t size, Deadline deadline);
  // All of it. `bytes` must live until the task ends.
  Task<Result<>> write(Bytes bytes, Deadline deadline);
};

// The Error of a wait that did not end by its event.
Error error_of(Wake wake);

}  // namespace ballast::io

// Body: a message body that is pulled. Not reading it is the backpressure.
//
// try_pull() gives what is there without waiting; its bytes are dead after the next pull or the next suspension,
// whichever comes first. One reader at a time, on the loop's thread; the session it came from must outlive it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "io/deadline.h"
#include "io/folder.h"
#include "io/stream.h"
#include "wire/http/message.h"

namespace ballast::http {

enum class PullState : std::uint8_t { Data, WouldBlock, End, Failed };

// Failed: `code` says how (Closed: it ended too early; Malformed: `defect` says why).
struct Pulled {
  PullState state = PullState::End;
  Code code = Code::Closed;
  Defect defect = Defect::None;
  Bytes data;
};

// The next bytes of a body, as they stand in a file.
struct FilePiece {
  // Fewer are copied at less cost than a call to the kernel of their own.
  static constexpr std::uint64_t worth_bytes = 8 * kib;
  const io::ReadFile* file = nullptr;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

class Body {
 public:
  virtual ~Body() = default;
  virtual Pulled try_pull() = 0;
  // After WouldBlock.
  virtual io::Ready until_ready(io::Deadline deadline) = 0;
  // How the message said it is delimited; a body of Framing::None has ended from the start.
  virtual Framing framing() const = 0;
  // What is still to come, where the framing tells.
  virtual std::optional<std::uint64_t> left() const = 0;
  virtual bool ended() const = 0;
  // After the end: trailer fields as lines to be sent on; mostly empty.
  virtual Bytes trailers() const = 0;
  // What was let pass of its coding, and how far it was read: both in the bytes behind the message's head.
  virtual Flaw oddity() const { return {}; }
  virtual std::optional<std::uint64_t> broken_at() const { return std::nullopt; }

  // For who moves the bytes past try_pull(), descriptor to descriptor: the stream whose next bytes are the body's, as
  // they are; nullptr: they can only be pulled.
  virtual io::Stream* bypass() { return nullptr; }
  // The same for a file. No file: they can only be pulled.
  virtual FilePiece file_piece() { return {}; }
  // So many were taken from the stream or the file, at most left().
  virtual void bypassed(std::uint64_t /*count*/) {}
  // It has ended, and a body of Framing::UntilClose with it.
  virtual void bypass_ended() {}
};

}  // namespace ballast::http

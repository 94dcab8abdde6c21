// ExplainRecord: all that tells why a request or a connection ended as it did; of a fixed size, its texts one behind
// the other in a room of 2 KiB.
//
// Made whole by a worker, then never changed: a ring holds it, and the control thread may read it meanwhile. One takes
// `sizeof`, less than 3 KiB, from when it is made until it is pushed out. Each text has a bound of its own; one that is
// longer ends in "…". Should all be at their bounds, what no longer fits of the attempts' texts is left away.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "model/explained.h"
#include "traffic/explain/attempt_note.h"
#include "traffic/explain/cause.h"
#include "wire/grpc/status.h"
#include "wire/http/message.h"

namespace ballast::traffic {

class ExplainRecord {
 public:
  enum class Text : std::uint8_t {
    Id,
    Listener,
    Client,
    Proxy,
    Protocol,
    Method,
    Host,
    Path,
    Query,
    User,
    Rule,
    Group,
    Sni,
    Detail,
    Defect,  // of what is no HTTP
    Rewritten,
  };
  static constexpr std::size_t text_count = static_cast<std::size_t>(Text::Rewritten) + 1;
  static constexpr std::size_t room_bytes = 2 * kib;

  ExplainRecord() {}  // NOLINT(modernize-use-equals-default): the room is not to be filled with zeros
  ExplainRecord(const ExplainRecord&) = delete;

  void put(Text which, Bytes text);
  Bytes get(Text which) const { return view(texts_[static_cast<std::size_t>(which)]); }
  // In order; at most attempts_noted_max. Instants are told from `since`.
  void put(const AttemptNote& note, io::Instant since);

  model::Explained to_model() const;

  model::Explained::Kind kind = model::Explained::Kind::Request;
  Cause cause;
  bool slow = false;
  std::chrono::system_clock::time_point at;
  int status = 0;
  std::optional<grpc::Status> call_status;
  http::Defect defect = http::Defect::None;
  std::optional<std::uint64_t> defect_at;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  io::Duration took{0};
  io::Duration queued{-1};
  io::Duration body_took{0};
  io::Duration answered{-1};

 private:
  struct Piece {
    std::uint16_t at = 0;
    std::uint16_t size = 0;
  };
  struct Attempt {
    Piece target;
    Piece text;
    std::int64_t began_us;
    std::int64_t connect_us;
    std::int64_t tls_us;
    std::int64_t head_us;
    std::int16_t status;
    Reason reason;
    Again again;
    bool reused;
  };
  Piece add(Bytes text, std::size_t bytes_max);
  Bytes view(Piece piece) const { return {room_.data() + piece.at, piece.size}; }

  std::array<Piece, text_count> texts_{};
  std::uint16_t used_ = 0;
  std::uint8_t attempt_count_ = 0;
  std::array<Attempt, attempts_noted_max> attempts_;
  std::array<char, room_bytes> room_;
};
static_assert(sizeof(ExplainRecord) <= 3 * kib);

}  // namespace ballast::traffic

// The strict HTTP/1.1 head parsers and the chunked decoder: pure functions of bytes, no I/O, no allocation.
//
// What RFC 9112 lets a recipient be lenient about is refused: see Defect. A parse starts anew each time more bytes have
// come; callers that receive a head in pieces call again only when a new LF has arrived, which bounds the work by the
// header count.
//
// A message is judged from left to right, and the first offending byte decides: a head cut anywhere gives NeedMore or
// the very outcome of the whole, and NeedMore only while it can still become valid (a CR is judged with the byte behind
// it).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "base/bytes.h"
#include "wire/http/desync.h"
#include "wire/http/message.h"

namespace ballast::http {

enum class Progress : std::uint8_t { Complete, NeedMore, Failed };

struct HeadLimits {
  std::size_t line = 16 * kib;
  std::size_t header = 16 * kib;
  std::size_t head = 64 * kib;
  int header_count = 100;
  Strictness strictness = Strictness::Defensive;
};

struct Outcome {
  Progress progress = Progress::NeedMore;
  Defect defect = Defect::None;
  std::uint32_t offset = 0;  // of the offending byte: the first that no valid message can have there
};

class RequestParser {
 public:
  // Complete: `head` is filled, its bytes are the first head.size of `input`. One CRLF before the request line is
  // skipped by the caller (traffic's Exchange::read_head), not here.
  static Outcome parse(Bytes input, const HeadLimits& limits, RequestHead& head);
};

class ResponseParser {
 public:
  // `to_head`, `to_connect`: the method of the request this answers decides the framing (RFC 9112 6.3).
  struct Question {
    bool to_head = false;
    bool to_connect = false;
  };
  static Outcome parse(Bytes input, const HeadLimits& limits, Question question, ResponseHead& head);
};

// Takes a chunked body apart. Feed it what has come; it consumes as much as it can and hands data out in place.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const HeadLimits& trailer_limits = {}) : limits_(trailer_limits) {}

  enum class Kind : std::uint8_t { NeedMore, Data, End, Failed };
  struct Step {
    Kind kind = Kind::NeedMore;
    std::size_t consumed = 0;  // of the input, the data included
    Bytes data{};              // Kind::Data: a view into the input
    Defect defect = Defect::None;
  };
  // The bytes taken so far; after Failed: up to the offending one.
  std::uint64_t taken() const { return taken_; }
  // What was let pass, at which byte of the coded body.
  Flaw oddity() const { return oddity_; }
  // Call with what is left of the input until NeedMore, End or Failed. NeedMore may have consumed bytes (framing is
  // kept inside).
  Step next(Bytes input);

  // After End: the trailer fields as they are to be sent on, "Name: value\r\n" each; mostly empty.
  Bytes trailers() const { return trailers_.view(); }
  // Chunk data bytes still to come of the chunk begun; 0 between chunks.
  std::uint64_t chunk_left() const { return state_ == State::Data ? left_ : 0; }

 private:
  // Size -> [Extension] -> SizeLf -> Data -> DataCr -> DataLf -> Size ... and from a size of 0: SizeLf -> Trailer ->
  // Done.
  enum class State : std::uint8_t { Size, Extension, SizeLf, Data, DataCr, DataLf, Trailer, Done, Broken };
  Step advance(Bytes input);
  Step broken(Defect defect, std::size_t consumed);
  // What the strictest mode refuses.
  Defect odd(Defect defect);
  Defect take_size(const char*& at, const char* end);
  Defect take_extension(const char*& at, const char* end);
  // Takes in what there is of one trailer line; at the empty line the state is Done.
  Defect take_trailer(const char*& at, const char* end);
  Defect end_trailer_line(Bytes line);

  HeadLimits limits_;
  State state_ = State::Size;
  std::uint8_t digits_ = 0;           // of the size being read
  std::uint16_t extension_size_ = 0;  // of the extension being read
  int trailer_count_ = 0;
  std::uint64_t left_ = 0;
  std::size_t trailer_size_ = 0;  // of all trailer lines, as received
  std::uint64_t taken_ = 0;
  Flaw oddity_;
  Buffer line_;      // a trailer line that came in pieces; bounded by limits_.header
  Buffer trailers_;  // bounded by limits_.head
};

// Whether a trailer may not carry it: what frames, routes or authenticates a message (RFC 9110 6.5.1).
bool is_forbidden_trailer(Bytes name);

// Writes "SIZE\r\n" for a chunk; returns its length. At most 18 bytes.
std::size_t write_chunk_head(char* out, std::uint64_t size);

}  // namespace ballast::http

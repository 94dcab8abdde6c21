// Fuzzes ChunkedDecoder: the same data, trailers and verdict however the input is cut; and what was decoded, chunked
// afresh, decodes to itself. The first two bytes of the input choose the limits and the cuts.
//
// The canary forgets a byte of data that is the only one of its piece.
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "require.h"
#include "wire/http/parse.h"

namespace {

using namespace ballast;
using namespace ballast::http;
using ballast::fuzz::require;
using Kind = ChunkedDecoder::Kind;

struct Decoded {
  Kind kind = Kind::NeedMore;
  Defect defect = Defect::None;
  std::string data;
  std::string trailers;
  std::size_t consumed = 0;
};

// Pieces are of 1 to `piece_max` bytes, each a copy of its own size.
Decoded decode(Bytes input, const HeadLimits& limits, std::size_t piece_max, unsigned seed) {
  std::minstd_rand random(seed);
  ChunkedDecoder decoder(limits);
  Decoded result;
  while (!input.empty()) {
    const std::size_t size = std::min(input.size(), piece_max == SIZE_MAX ? piece_max : 1 + random() % piece_max);
    const std::unique_ptr<char[]> copy(new char[size]);
    input.copy(copy.get(), size);
    input.remove_prefix(size);
    for (Bytes piece(copy.get(), size);;) {
      const ChunkedDecoder::Step step = decoder.next(piece);
      require(step.consumed <= piece.size(), "no more is consumed than there is");
      result.consumed += step.consumed;
#ifdef BALLAST_CANARY
      if (piece_max == SIZE_MAX || step.data.size() != 1 || step.data[0] != '%') result.data += step.data;
#else
      result.data += step.data;
#endif
      piece.remove_prefix(step.consumed);
      if (step.kind == Kind::Data) {
        require(!step.data.empty(), "data is not empty");
        continue;
      }
      result.kind = step.kind;
      result.defect = step.defect;
      if (step.kind == Kind::NeedMore) {
        require(piece.empty(), "more is needed when all was consumed");
        break;
      }
      if (step.kind == Kind::End) result.trailers = decoder.trailers();
      return result;
    }
  }
  return result;
}

void require_same(const Decoded& left, const Decoded& right) {
  require(left.kind == right.kind, "the same verdict");
  require(left.defect == right.defect, "the same defect");
  require(left.data == right.data, "the same data");
  require(left.trailers == right.trailers, "the same trailers");
  require(left.consumed == right.consumed, "the same end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const HeadLimits limits =
      data[0] % 2 == 0 ? HeadLimits{} : HeadLimits{.line = 20, .header = 20, .head = 50, .header_count = 3};
  const Bytes input(reinterpret_cast<const char*>(data + 2), size - 2);
  const Decoded whole = decode(input, limits, SIZE_MAX, 0);
  require_same(decode(input, limits, 1, 0), whole);
  require_same(decode(input, limits, 1 + data[1] % 32, data[1]), whole);
  if (whole.kind != Kind::End) return 0;

  std::string again;
  if (!whole.data.empty()) {
    char head[18];
    again.append(head, write_chunk_head(head, whole.data.size()));
    again += whole.data + "\r\n";
  }
  again += "0\r\n" + whole.trailers + "\r\n";
  // Limits apart: white space a trailer was written with may be less, or one space more.
  const Decoded second = decode(again, {}, 7, data[1]);
  require(second.kind == Kind::End && second.consumed == again.size(), "what was written is accepted");
  require(second.data == whole.data && second.trailers == whole.trailers, "and decodes to itself");
  return 0;
}

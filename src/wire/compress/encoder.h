// Encoder: compresses one body, piece by piece, in gzip (RFC 1952), br (RFC 7932) or zstd (RFC 8878).
//
// Owned by the body it compresses; any thread, one at a time. Its memory is taken when it is made and freed with it: at
// the levels used by default 0.3 MiB (gzip), 0.8 MiB (br), 1.5 MiB (zstd), whatever the size of the body. The libraries
// (zlib, libbrotlienc, libzstd) are known in this folder only.
#pragma once

#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "base/bytes.h"
#include "wire/http/accept_encoding.h"

namespace ballast::compress {

enum class Step : std::uint8_t {
  More,   // keeps back what makes better company with what follows
  Flush,  // all that was given can be decoded by who has what came out so far
  End,    // nothing follows
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  // Appends to `out`. False where the library fails, for want of memory; it stays failed.
  virtual bool encode(Bytes input, Step step, Buffer& out) = 0;
};

// nullptr for Identity, and where there is no memory. `level` as each library counts: 1 to 9, 0 to 11, 1 to 19.
std::unique_ptr<Encoder> make_encoder(http::Coding coding, int level);

}  // namespace ballast::compress

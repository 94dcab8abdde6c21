// The encoders by library; encoder.cc chooses.
#pragma once

#include <memory>

#include "wire/compress/encoder.h"

namespace ballast::compress {

std::unique_ptr<Encoder> make_gzip(int level);
std::unique_ptr<Encoder> make_brotli(int level);
std::unique_ptr<Encoder> make_zstd(int level);

// Output is made in pieces of this.
inline constexpr std::size_t piece_bytes = 4 * kib;

}  // namespace ballast::compress

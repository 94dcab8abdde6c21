#include "wire/compress/encoder.h"

#include "wire/compress/makers.h"

namespace ballast::compress {

std::unique_ptr<Encoder> make_encoder(http::Coding coding, int level) {
  switch (coding) {
    case http::Coding::Identity:
      return nullptr;
    case http::Coding::Gzip:
      return make_gzip(level);
    case http::Coding::Brotli:
      return make_brotli(level);
    case http::Coding::Zstd:
      return make_zstd(level);
  }
  return nullptr;
}

}  // namespace ballast::compress

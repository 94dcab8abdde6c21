#include <new>

#include <zlib.h>

#include "wire/compress/makers.h"

namespace ballast::compress {
namespace {

class Gzip final : public Encoder {
 public:
  explicit Gzip(int level) {
    constexpr int window_bits = 15 + 16;  // 32 KiB, with gzip's head and sum
    constexpr int memory_level = 8;
    good_ = deflateInit2(&stream_, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
    made_ = good_;
  }
  ~Gzip() override {
    if (made_) deflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  bool is_good() const { return good_; }

  bool encode(Bytes input, Step step, Buffer& out) override {
    const int flush = step == Step::More ? Z_NO_FLUSH : step == Step::Flush ? Z_SYNC_FLUSH : Z_FINISH;
    // Pieces of a body are at most a receive buffer long: no more than 32 bits.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    while (good_) {
      stream_.next_out = reinterpret_cast<Bytef*>(out.room(piece_bytes));
      stream_.avail_out = piece_bytes;
      const int result = deflate(&stream_, flush);
      out.commit(piece_bytes - stream_.avail_out);
      if (result == Z_STREAM_END) break;
      good_ = result == Z_OK || result == Z_BUF_ERROR;
      if (stream_.avail_out != 0 && step != Step::End) break;
    }
    return good_;
  }

 private:
  z_stream stream_{};
  bool made_ = false;
  bool good_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_gzip(int level) {
  auto encoder = std::make_unique<Gzip>(level);
  return encoder->is_good() ? std::move(encoder) : nullptr;
}

}  // namespace ballast::compress

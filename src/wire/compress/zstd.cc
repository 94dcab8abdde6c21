#include <zstd.h>

#include "wire/compress/makers.h"

namespace ballast::compress {
namespace {

class Zstd final : public Encoder {
 public:
  explicit Zstd(int level) : context_(ZSTD_createCCtx()) {
    constexpr int window_bits = 18;  // 256 KiB; a browser need not take more than 8 MiB (RFC 9659)
    good_ = context_ != nullptr &&
            ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level)) == 0 &&
            ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_bits)) == 0;
  }
  bool is_good() const { return good_; }

  bool encode(Bytes input, Step step, Buffer& out) override {
    const ZSTD_EndDirective directive = step == Step::More    ? ZSTD_e_continue
                                        : step == Step::Flush ? ZSTD_e_flush
                                                              : ZSTD_e_end;
    ZSTD_inBuffer from{.src = input.data(), .size = input.size(), .pos = 0};
    while (good_) {
      ZSTD_outBuffer to{.dst = out.room(piece_bytes), .size = piece_bytes, .pos = 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &to, &from, directive);
      out.commit(to.pos);
      good_ = ZSTD_isError(left) == 0;
      if (step == Step::More ? from.pos == from.size : left == 0) break;
    }
    return good_;
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  bool good_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_zstd(int level) {
  auto encoder = std::make_unique<Zstd>(level);
  return encoder->is_good() ? std::move(encoder) : nullptr;
}

}  // namespace ballast::compress

#include <brotli/encode.h>

#include "wire/compress/makers.h"

namespace ballast::compress {
namespace {

class Brotli final : public Encoder {
 public:
  explicit Brotli(int level) : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    constexpr std::uint32_t window_bits = 18;  // 256 KiB: more is memory that a page never fills
    good_ = state_ != nullptr &&
            BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level)) != 0 &&
            BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, window_bits) != 0;
  }
  bool is_good() const { return good_; }

  bool encode(Bytes input, Step step, Buffer& out) override {
    const BrotliEncoderOperation operation = step == Step::More    ? BROTLI_OPERATION_PROCESS
                                             : step == Step::Flush ? BROTLI_OPERATION_FLUSH
                                                                   : BROTLI_OPERATION_FINISH;
    std::size_t left = input.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(input.data());
    while (good_) {
      std::size_t none = 0;
      good_ = BrotliEncoderCompressStream(state_.get(), operation, &left, &next, &none, nullptr, nullptr) != 0;
      std::size_t made = 0;
      const std::uint8_t* bytes = BrotliEncoderTakeOutput(state_.get(), &made);
      out.append({reinterpret_cast<const char*>(bytes), made});
      if (left == 0 && BrotliEncoderHasMoreOutput(state_.get()) == 0) break;
    }
    return good_;
  }

 private:
  struct Destroy {
    void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_;
  bool good_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_brotli(int level) {
  auto encoder = std::make_unique<Brotli>(level);
  return encoder->is_good() ? std::move(encoder) : nullptr;
}

}  // namespace ballast::compress

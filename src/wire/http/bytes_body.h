// BytesBody: a body that is there whole: an answer of our own.
#pragma once

#include "wire/http/body.h"

namespace ballast::http {

class BytesBody final : public Body {
 public:
  // `bytes` outlive it.
  explicit BytesBody(Bytes bytes) : bytes_(bytes) {}

  Pulled try_pull() override {
    if (bytes_.empty()) return {};
    return {.state = PullState::Data, .data = std::exchange(bytes_, {})};
  }
  // It never has to be waited for.
  io::Ready until_ready(io::Deadline deadline) override { return ready_.readable(deadline); }
  Framing framing() const override { return Framing::Length; }
  std::optional<std::uint64_t> left() const override { return bytes_.size(); }
  bool ended() const override { return bytes_.empty(); }
  Bytes trailers() const override { return {}; }

 private:
  Bytes bytes_;
  io::Readiness ready_;
};

}  // namespace ballast::http

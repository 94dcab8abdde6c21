// KeptBody: a request's body on its way to a target, of which a copy is kept, so that another target can be sent the
// same: first what was kept, then what is still to come. Where more comes than may be kept nothing is, and the body
// goes once.
//
// Lives in the frame of Exchange::attempt(); the copy outlives it. Worker's thread.
#pragma once

#include "base/buffer.h"
#include "wire/http/body.h"

namespace ballast::traffic {

class KeptBody final : public http::Body {
 public:
  // `kept`: what attempts before this one have pulled. `goes_once` is set when it can be kept no longer.
  KeptBody(http::Body& source, Buffer& kept, std::size_t kept_max, bool& goes_once)
      : source_(source), kept_(kept), kept_max_(kept_max), goes_once_(goes_once), to_repeat_(kept.size()) {}

  // How many bytes this attempt has of attempts before.
  std::size_t repeated() const { return repeated_; }

  http::Pulled try_pull() override {
    if (to_repeat_ != 0) {
      const Bytes again = kept_.view().substr(repeated_);
      repeated_ += to_repeat_;
      to_repeat_ = 0;
      return {.state = http::PullState::Data, .data = again};
    }
    const http::Pulled pulled = source_.try_pull();
    if (pulled.state == http::PullState::Data && !goes_once_) keep(pulled.data);
    return pulled;
  }
  io::Ready until_ready(io::Deadline deadline) override { return source_.until_ready(deadline); }
  http::Framing framing() const override { return source_.framing(); }
  std::optional<std::uint64_t> left() const override {
    const auto left = source_.left();
    return left.has_value() ? std::optional(*left + to_repeat_) : std::nullopt;
  }
  bool ended() const override { return to_repeat_ == 0 && source_.ended(); }
  Bytes trailers() const override { return source_.trailers(); }
  http::Flaw oddity() const override { return source_.oddity(); }
  std::optional<std::uint64_t> broken_at() const override { return source_.broken_at(); }

  io::Stream* bypass() override { return goes_once_ && to_repeat_ == 0 ? source_.bypass() : nullptr; }
  void bypassed(std::uint64_t count) override { source_.bypassed(count); }
  void bypass_ended() override { source_.bypass_ended(); }

 private:
  void keep(Bytes data) {
    if (kept_.size() + data.size() <= kept_max_) {
      kept_.append(data);
      return;
    }
    goes_once_ = true;
    kept_.release();
  }

  http::Body& source_;
  Buffer& kept_;
  const std::size_t kept_max_;
  bool& goes_once_;
  std::size_t to_repeat_;
  std::size_t repeated_ = 0;
};

}  // namespace ballast::traffic

#include "wire/compress/compressed_body.h"

namespace ballast::compress {

using http::Pulled;
using http::PullState;

// What has come out, which may be nothing: Data is never empty, since an empty chunk would be the end.
Pulled CompressedBody::made() const {
  if (!out_.empty()) return {.state = PullState::Data, .data = out_.view()};
  return {.state = ended_ ? PullState::End : PullState::WouldBlock};
}

Pulled CompressedBody::encode(Bytes input, Step step) {
  if (!encoder_->encode(input, step, out_)) return {.state = PullState::Failed, .code = Code::Exhausted};
  pending_ = step == Step::More;
  ended_ = step == Step::End;
  return made();
}

Pulled CompressedBody::try_pull() {
  constexpr std::size_t enough = 32 * kib;
  if (ended_) return {};
  if (!ready_.may_read()) return {.state = PullState::WouldBlock};
  out_.clear();
  while (true) {
    const Pulled pulled = source_.try_pull();
    switch (pulled.state) {
      case PullState::Failed:
        return pulled;
      case PullState::WouldBlock:
        turn_ = 0;
        return pending_ ? encode({}, Step::Flush) : made();
      case PullState::End:
        return encode({}, Step::End);
      case PullState::Data:
        break;
    }
    source_bytes_ += pulled.data.size();
    turn_ += pulled.data.size();
    const Pulled part = encode(pulled.data, source_.ended() ? Step::End : Step::More);
    if (ended_ || part.state == PullState::Failed) return part;
    if (turn_ >= turn_bytes) {
      turn_ = 0;
      ready_.not_readable();
      loop_.timers().arm(pause_, loop_.fresh_now() + pause);
      return part;
    }
    if (out_.size() >= enough) return part;
  }
}

io::Ready CompressedBody::until_ready(io::Deadline deadline) {
  return ready_.may_read() ? source_.until_ready(deadline) : ready_.readable(deadline);
}

}  // namespace ballast::compress

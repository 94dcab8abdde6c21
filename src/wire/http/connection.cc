#include "wire/http/connection.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ballast::http {

void ConnectionBody::begin(Framing framing, std::uint64_t length, const HeadLimits& trailer_limits) {
  framing_ = framing;
  broken_.reset();
  left_ = framing == Framing::Length ? length : std::numeric_limits<std::uint64_t>::max();
  ended_ = framing == Framing::None || (framing == Framing::Length && length == 0);
  if (framing == Framing::Chunked) {
    decoder_.emplace(trailer_limits);
  } else {
    decoder_.reset();
  }
}

std::optional<std::uint64_t> ConnectionBody::left() const {
  if (ended_) return 0;
  return framing_ == Framing::Length ? std::optional(left_) : std::nullopt;
}

io::Ready ConnectionBody::until_ready(io::Deadline deadline) {
  return connection_->stream().until_readable(deadline);
}

Pulled ConnectionBody::try_pull() {
  if (broken_.has_value()) return {PullState::Failed, Code::Malformed, *broken_, {}};
  while (!ended_) {
    if (!connection_->has_held()) {
      const io::Transfer got = connection_->receive();
      switch (got.state) {
        case io::TransferState::Done:
          break;
        case io::TransferState::WouldBlock:
          return {PullState::WouldBlock, Code::Closed, Defect::None, {}};
        case io::TransferState::Failed:
          return {PullState::Failed, got.code, Defect::None, {}};
        case io::TransferState::End:
          if (framing_ != Framing::UntilClose) return {PullState::Failed, Code::Closed, Defect::None, {}};
          ended_ = true;
          continue;
      }
    }
    const Bytes held = connection_->held();
    // The bytes are ours, in the loop's buffer or in kept_: chunk data is moved together in place.
    char* data = const_cast<char*>(held.data());
    const Pulled pulled = framing_ == Framing::Chunked ? take_chunked(data, held.size()) : take(data, held.size());
    if (pulled.state != PullState::WouldBlock) return pulled;
  }
  return {PullState::End, Code::Closed, Defect::None, {}};
}

Pulled ConnectionBody::take(char* data, std::size_t size) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
  connection_->consume(count);
  if (framing_ == Framing::Length && (left_ -= count) == 0) ended_ = true;
  return {PullState::Data, Code::Closed, Defect::None, {data, count}};
}

// Takes all that has come and moves the chunks' data together; WouldBlock where there was framing only.
Pulled ConnectionBody::take_chunked(char* data, std::size_t size) {
  std::size_t consumed = 0;
  std::size_t gathered = 0;
  while (true) {
    const ChunkedDecoder::Step step = decoder_->next({data + consumed, size - consumed});
    consumed += step.consumed;
    if (step.kind == ChunkedDecoder::Kind::Data) {
      if (data + gathered != step.data.data()) std::memmove(data + gathered, step.data.data(), step.data.size());
      gathered += step.data.size();
      continue;
    }
    if (step.kind == ChunkedDecoder::Kind::Failed) {
      broken_ = step.defect;
      return {PullState::Failed, Code::Malformed, step.defect, {}};
    }
    if (step.kind == ChunkedDecoder::Kind::End) ended_ = true;
    break;
  }
  connection_->consume(consumed);
  if (gathered == 0) return {ended_ ? PullState::End : PullState::WouldBlock, Code::Closed, Defect::None, {}};
  return {PullState::Data, Code::Closed, Defect::None, {data, gathered}};
}

io::Stream* ConnectionBody::bypass() {
  const bool possible =
      !ended_ && framing_ != Framing::Chunked && !connection_->has_held() && connection_->stream().is_plain();
  return possible ? &connection_->stream() : nullptr;
}

void ConnectionBody::bypassed(std::uint64_t count) {
  CHECK(count <= left_);
  if (framing_ == Framing::Length && (left_ -= count) == 0) ended_ = true;
}

void ConnectionBody::bypass_ended() {
  if (framing_ == Framing::UntilClose) ended_ = true;
}

void Connection::consume(std::size_t size) {
  if (fresh_.empty()) {
    kept_.consume(size);
  } else {
    fresh_.remove_prefix(size);
  }
}

void Connection::keep() {
  if (fresh_.empty()) return;
  kept_.append(fresh_);
  fresh_ = {};
}

io::Transfer Connection::receive() {
  keep();
  if (kept_.empty()) {
    const auto buffer = loop_.receive_buffer();
    const io::Transfer got = stream_.try_read(buffer.data(), buffer.size());
    if (got.state == io::TransferState::Done) fresh_ = {buffer.data(), got.count};
    return got;
  }
  constexpr std::size_t piece = 16 * kib;
  const io::Transfer got = stream_.try_read(kept_.room(piece), piece);
  if (got.state == io::TransferState::Done) kept_.commit(got.count);
  return got;
}

}  // namespace ballast::http

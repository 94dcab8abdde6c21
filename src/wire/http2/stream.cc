#include "wire/http2/stream.h"

#include <algorithm>
#include <cstring>

#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "wire/http2/native.h"
#include "wire/http2/session.h"

namespace ballast::http2 {

Stream::Stream(Session& session, std::size_t head_bytes_max)
    : session_(&session), loop_(session.loop()), head_bytes_max_(head_bytes_max) {
  session.add(*this);
  ready_.set_writable();
}

Stream::~Stream() {
  if (session_ == nullptr) return;
  session_->queued_bytes_ -= out_.size();
  // What nobody has read is given back to the window of the others.
  if (!in_.empty()) nghttp2_session_consume_connection(session_->native_, in_.size());
  session_->remove(*this);
}

void Stream::skip_head() {
  head_.release();
  head_done_ = false;
  if (in_.empty() && !in_ended_ && !lost_) ready_.not_readable();
}

void Stream::wake() {
  ready_.set_readable();
  ready_.set_writable();
}

void Stream::lose(Code code) {
  if (lost_) return;
  lost_ = true;
  code_ = code;
  wake();
  if (listener_ != nullptr) listener_->on_cut();
}

void Stream::left_wire(std::uint32_t error_code) {
  const std::shared_ptr<Stream> hold = std::move(self_);
  refused_ = error_code == NGHTTP2_REFUSED_STREAM;
  const bool whole = in_ended_ && out_ended_;
  if (!whole) lose(error_code == NGHTTP2_NO_ERROR ? Code::Closed : Code::Reset);
  wake();
}

void Stream::cut_wire(std::uint32_t error_code) {
  if (session_ == nullptr || !is_on_wire()) return;
  nghttp2_submit_rst_stream(session_->native_, NGHTTP2_FLAG_NONE, id_, error_code);
  session_->flush_soon();
}

void Stream::respond(const ResponseHead& response, BodyFollows body_follows) {
  if (session_ == nullptr || !is_on_wire()) return;
  NativeHead head(response.lines);
  head.status(response.status);
  head.add(response.lines);
  if (response.length.has_value()) head.length(*response.length);
  int failure = 0;
  if (response.status < 200) {
    failure =
        nghttp2_submit_headers(session_->native_, NGHTTP2_FLAG_NONE, id_, nullptr, head.data(), head.size(), nullptr);
  } else if (body_follows == BodyFollows::No) {
    failure = nghttp2_submit_response(session_->native_, id_, head.data(), head.size(), nullptr);
    end_wanted_ = true;
  } else {
    const nghttp2_data_provider provider = data_provider(*this);
    failure = nghttp2_submit_response(session_->native_, id_, head.data(), head.size(), &provider);
  }
  if (failure != 0) lose(Code::Reset);
  session_->flush_soon();
}

io::Task<bool> Stream::until_sent(io::Duration idle) {
  std::size_t left = out_.size();
  io::Deadline deadline = loop_.after(idle);
  while (!out_ended_ && !lost_) {
    if (out_.size() != left) {
      left = out_.size();
      deadline = loop_.after(idle);
    }
    ready_.not_writable();
    if (co_await ready_.writable(deadline) != io::Wake::Event) co_return false;
  }
  co_return out_ended_;
}

void Stream::consume(std::size_t count) {
  in_.consume(count);
  if (in_.empty()) {
    in_.release();
    if (!in_ended_ && !lost_) ready_.not_readable();
  }
  if (session_ == nullptr || count == 0) return;
  if (is_on_wire()) {
    nghttp2_session_consume(session_->native_, id_, count);
  } else {
    nghttp2_session_consume_connection(session_->native_, count);
  }
  session_->flush_soon();
}

void Stream::discard_rest() {
  if (in_ended_) return;
  discarding_ = true;
  if (!in_.empty()) consume(in_.size());
  if (out_ended_) cut_wire(NGHTTP2_NO_ERROR);
}

io::Transfer Stream::try_read(char* into, std::size_t size) {
  const Bytes there = in_.view().substr(0, size);
  if (!there.empty()) {
    std::memcpy(into, there.data(), there.size());
    const std::size_t count = there.size();
    consume(count);
    return {io::TransferState::Done, Code::Closed, count};
  }
  if (in_ended_) return {io::TransferState::End, Code::Closed, 0};
  if (lost_) return {io::TransferState::Failed, code_, 0};
  ready_.not_readable();
  return {io::TransferState::WouldBlock, Code::Closed, 0};
}

io::Transfer Stream::try_write(std::span<const Bytes> parts) {
  if (lost_ || end_wanted_ || session_ == nullptr) return {io::TransferState::Failed, code_, 0};
  const std::size_t bytes_max = session_->queued_bytes_ < Session::queued_bytes_max ? out_bytes_max : out_bytes_min;
  std::size_t taken = 0;
  for (const Bytes part : parts) {
    const Bytes piece = part.substr(0, bytes_max - std::min(bytes_max, out_.size()));
    out_.append(piece);
    taken += piece.size();
    if (piece.size() < part.size()) break;
  }
  session_->queued_bytes_ += taken;
  if (taken == 0) {
    ready_.not_writable();
    return {io::TransferState::WouldBlock, Code::Closed, 0};
  }
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(session_->native_, id_);
  session_->flush_soon();
  return {io::TransferState::Done, Code::Closed, taken};
}

bool Stream::end() {
  if (std::exchange(end_wanted_, true) || session_ == nullptr || !is_on_wire()) return true;
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(session_->native_, id_);
  session_->flush_soon();
  return true;
}

void Stream::close() {
  if (closed_) return;
  closed_ = true;
  end();
  discard_rest();
}

void Stream::reset() {
  closed_ = true;
  const bool serves = session_ != nullptr && session_->role_ == Session::Role::Server;
  cut_wire(serves ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
}

void Stream::refuse() {
  closed_ = true;
  cut_wire(NGHTTP2_REFUSED_STREAM);
}

io::Descriptor& Stream::descriptor() {
  CHECK(false);  // it has none of its own
  std::abort();
}

http::Pulled StreamBody::try_pull() {
  stream_.consume(std::exchange(handed_out_, 0));
  if (stream_.trailer_defect() != http::Defect::None) {
    return {.state = http::PullState::Failed, .code = Code::Malformed, .defect = stream_.trailer_defect()};
  }
  const Bytes there = stream_.received();
  if (!there.empty()) {
    handed_out_ = there.size();
    pulled_ += there.size();
    return {.state = http::PullState::Data, .data = there};
  }
  if (stream_.peer_ended() || framing_ == http::Framing::None) return {};
  if (stream_.is_lost()) return {.state = http::PullState::Failed, .code = stream_.code()};
  return {.state = http::PullState::WouldBlock};
}

std::optional<std::uint64_t> StreamBody::left() const {
  if (framing_ == http::Framing::None) return 0;
  return framing_ == http::Framing::Length ? std::optional(length_ - std::min(length_, pulled_)) : std::nullopt;
}

bool StreamBody::ended() const {
  if (framing_ == http::Framing::None) return true;
  return stream_.peer_ended() && stream_.received().size() == handed_out_ &&
         stream_.trailer_defect() == http::Defect::None;
}

}  // namespace ballast::http2

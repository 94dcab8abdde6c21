#include "wire/ajp/body_sink.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "wire/http/relay.h"

namespace ballast::ajp {

Buffer& BodySink::begin(std::size_t packet_bytes) {
  CHECK(is_idle());
  room_ = body_room(packet_bytes);
  ended_ = false;
  held_.release();
  asked_.not_writable();
  return out_;
}

// A packet with `size` bytes of data, to be written where it returns.
char* BodySink::add_packet(std::size_t size) {
  char* packet = out_.room(packet_head_bytes + 2 + size);
  std::memcpy(packet, "\x12\x34", 2);
  put_16(packet + 2, size + 2);
  put_16(packet + packet_head_bytes, size);
  out_.commit(packet_head_bytes + 2 + size);
  return packet + packet_head_bytes + 2;
}

void BodySink::grant(std::size_t bytes) {
  if (!held_.empty()) {
    const std::size_t size = std::min(bytes, held_.size());
    std::memcpy(add_packet(size), held_.view().data(), size);
    held_.consume(size);
  } else if (ended_) {
    out_.append(end_of_body_packet);
  } else {
    allowance_ = bytes;
    asked_.set_writable();
  }
}

bool BodySink::ask(std::size_t wanted) {
  if (!is_idle() || wanted == 0) return false;
  grant(std::min(wanted, room_));
  return true;
}

std::optional<Code> BodySink::push() {
  while (!out_.empty()) {
    const io::Transfer put = stream_.try_write(out_.view());
    if (put.state == io::TransferState::WouldBlock) break;
    if (put.state != io::TransferState::Done) return put.code;
    out_.consume(put.count);
  }
  return std::nullopt;
}

io::Task<Result<>> BodySink::flush(io::Duration idle) {
  return http::flush(out_, stream_, idle);
}

io::Transfer BodySink::try_write(std::span<const Bytes> parts) {
  if (const std::optional<Code> failed = push(); failed.has_value()) return {io::TransferState::Failed, *failed, 0};
  if (!out_.empty()) return {};
  std::size_t size = 0;
  for (const Bytes part : parts) size += part.size();
  if (allowance_ == 0 || size == 0) {
    asked_.not_writable();
    return {};
  }
  size = std::min(size, allowance_);
  allowance_ = 0;
  asked_.not_writable();
  char* into = add_packet(size);
  std::size_t written = 0;
  for (const Bytes part : parts) {
    const std::size_t piece = std::min(part.size(), size - written);
    if (piece != 0) std::memcpy(into + written, part.data(), piece);
    written += piece;
  }
  if (const std::optional<Code> failed = push(); failed.has_value()) return {io::TransferState::Failed, *failed, 0};
  return {io::TransferState::Done, Code::Closed, size};
}

io::Ready BodySink::until_writable(io::Deadline deadline) {
  if (!out_.empty()) return stream_.until_writable(deadline);
  return asked_.writable(deadline);
}

bool BodySink::end() {
  ended_ = true;
  if (allowance_ == 0) return true;
  allowance_ = 0;
  asked_.not_writable();
  out_.append(end_of_body_packet);
  return true;
}

io::Transfer BodySink::try_read(char* /*into*/, std::size_t /*size*/) {
  return {io::TransferState::Failed, Code::Unsupported, 0};
}

}  // namespace ballast::ajp

// FrameWalk: how many frames have begun in the bytes of a connection, whatever becomes of them. nghttp2 tells of those
// that mean something; what a peer sends besides is work too, and FloodGuard wants to know.
//
// Pure; one object a connection.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ballast::http2 {

class FrameWalk {
 public:
  // `begins_at`: bytes before the first frame.
  explicit FrameWalk(std::size_t begins_at) : skip_(begins_at) {}

  // Frames whose heads end in `bytes`. CONTINUATION does not count: it is a piece of a frame, and nghttp2 bounds how
  // many there are.
  std::size_t count(Bytes bytes) {
    std::size_t frames = 0;
    while (true) {
      const std::size_t skipped = std::min(skip_, bytes.size());
      skip_ -= skipped;
      bytes.remove_prefix(skipped);
      if (bytes.empty()) return frames;
      const std::size_t taken = std::min(head_.size() - have_, bytes.size());
      std::copy_n(bytes.data(), taken, head_.data() + have_);
      have_ += taken;
      bytes.remove_prefix(taken);
      if (have_ < head_.size()) return frames;
      have_ = 0;
      skip_ = octet(0) << 16U | octet(1) << 8U | octet(2);
      frames += octet(3) == continuation ? 0 : 1;
    }
  }

 private:
  static constexpr std::size_t continuation = 9;
  std::size_t octet(std::size_t at) const { return static_cast<unsigned char>(head_[at]); }

  std::size_t skip_;            // of a payload
  std::array<char, 9> head_{};  // RFC 9113 4.1
  std::size_t have_ = 0;        // of it
};

}  // namespace ballast::http2

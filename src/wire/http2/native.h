// What only the .cc files of this folder share: heads and data in nghttp2's terms.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <nghttp2/nghttp2.h>

#include "wire/http/message.h"
#include "wire/http/outgoing.h"
#include "wire/http2/stream.h"

namespace ballast::http2 {

// A head as name-value pairs, names in lower case. nghttp2 copies what it is given; the views live until then.
class NativeHead {
 public:
  // For at most `lines` and a few fields more.
  explicit NativeHead(std::span<const http::FieldLine> lines);
  NativeHead(const NativeHead&) = delete;

  void status(int status);
  void length(std::uint64_t length);
  // `name` as it is to be sent; both outlive the sending.
  void field(Bytes name, Bytes value);
  void add(std::span<const http::FieldLine> lines);
  const nghttp2_nv* data() const { return pairs_; }
  std::size_t size() const { return count_; }

 private:
  static constexpr std::size_t extra_pairs = 8;

  // Enough for most heads; declared before the pointers to it.
  std::array<char, 1024> few_names_;
  std::array<nghttp2_nv, 40> few_pairs_;
  std::unique_ptr<char[]> many_names_;
  std::unique_ptr<nghttp2_nv[]> many_pairs_;
  char* names_;
  nghttp2_nv* pairs_;
  std::size_t count_ = 0;
  std::size_t names_size_ = 0;
  char status_[3];
  std::array<char, 20> length_;
};

nghttp2_data_provider data_provider(Stream& stream);

}  // namespace ballast::http2

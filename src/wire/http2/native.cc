#include "wire/http2/native.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "wire/http/list.h"

namespace ballast::http2 {
namespace {

// nghttp2 takes pointers to bytes that it does not write to.
std::uint8_t* bytes_of(Bytes text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

NativeHead::NativeHead(std::span<const http::FieldLine> lines) : names_(few_names_.data()), pairs_(few_pairs_.data()) {
  std::size_t names_bytes = 0;
  for (const http::FieldLine& line : lines) names_bytes += line.name.size();
  if (names_bytes > few_names_.size()) {
    many_names_.reset(new char[names_bytes]);
    names_ = many_names_.get();
  }
  if (lines.size() + extra_pairs > few_pairs_.size()) {
    many_pairs_.reset(new nghttp2_nv[lines.size() + extra_pairs]);
    pairs_ = many_pairs_.get();
  }
}

void NativeHead::status(int status) {
  status_[0] = static_cast<char>('0' + status / 100);
  status_[1] = static_cast<char>('0' + status / 10 % 10);
  status_[2] = static_cast<char>('0' + status % 10);
  field(":status", {status_, sizeof status_});
}

void NativeHead::length(std::uint64_t length) {
  const auto written = std::to_chars(length_.begin(), length_.end(), length);
  field("content-length", {length_.data(), static_cast<std::size_t>(written.ptr - length_.data())});
}

void NativeHead::field(Bytes name, Bytes value) {
  pairs_[count_++] = {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

void NativeHead::add(std::span<const http::FieldLine> lines) {
  for (const http::FieldLine& line : lines) {
    char* name = names_ + names_size_;
    std::transform(line.name.begin(), line.name.end(), name, http::to_lower);
    names_size_ += line.name.size();
    field({name, line.name.size()}, line.value);
  }
}

}  // namespace ballast::http2

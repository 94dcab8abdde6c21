// HeadText: the fields of an HTTP/2 head, written down as the head of an HTTP/1.1 message, so that one strict parser
// judges the requests of both and everything above sees one form.
//
// What HTTP/2 alone can get wrong is judged here: pseudo-header fields (RFC 9113 8.3), an authority that contradicts
// Host, a field that would become another line. Pure; one object a head.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::http2 {

class RequestText {
 public:
  // `bytes_max` bounds the head as it is written; `websocket_key` is what a WebSocket's request gets that came without
  // one, as those over HTTP/2 do (RFC 8441 5).
  explicit RequestText(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // In the order received. After a defect the rest is overlooked.
  void field(Bytes name, Bytes value);
  // An extended CONNECT (RFC 8441), which is written as an upgrade.
  bool is_upgrade() const { return protocol_.size != 0; }
  // The whole head, or nothing and the defect.
  http::Defect write(Buffer& out, Bytes websocket_key) const;

 private:
  void pseudo(Bytes name, Bytes value);
  bool keep(http::Slice& slice, Bytes value);
  Bytes text(http::Slice slice) const { return pseudo_.view().substr(slice.at, slice.size); }

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  Buffer pseudo_;  // what the slices name
  Buffer lines_;
  Buffer cookie_;  // its crumbs, joined again (RFC 9113 8.2.3)
  http::Slice method_, scheme_, authority_, path_, protocol_, host_;
  http::Defect defect_ = http::Defect::None;
};

class ResponseText {
 public:
  explicit ResponseText(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void field(Bytes name, Bytes value);
  bool is_final() const { return status_ >= 200; }
  http::Defect write(Buffer& out) const;

 private:
  std::size_t bytes_max_;
  Buffer lines_;
  int status_ = 0;
  http::Defect defect_ = http::Defect::None;
};

// Trailer fields, as lines to be sent on.
class TrailerText {
 public:
  explicit TrailerText(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void field(Bytes name, Bytes value);
  http::Defect defect() const { return defect_; }
  Bytes lines() const { return lines_.view(); }

 private:
  std::size_t bytes_max_;
  Buffer lines_;
  http::Defect defect_ = http::Defect::None;
};

}  // namespace ballast::http2

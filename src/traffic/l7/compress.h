// Whether a response is compressed, and what that changes in its head (RFC 9110 8.4, 8.8.3.3, 12.5.5).
//
// choose_compression() is pure. ResponseCompression is one response's, in the frame of who sends it; worker's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "traffic/worker.h"
#include "wire/compress/compressed_body.h"
#include "wire/http/accept_encoding.h"
#include "wire/http/message.h"
#include "wire/http/outgoing.h"

namespace ballast::traffic {

struct ResponseFacts {
  int status = 200;
  std::optional<std::uint64_t> length;  // of the body, where it is known
};

struct CompressionChoice {
  http::Coding coding = http::Coding::Identity;
  bool varies = false;  // another client would get another coding: caches have to know
};

CompressionChoice choose_compression(const config::Compression& settings, const http::RequestHead& request,
                                     const ResponseFacts& response, const std::vector<http::FieldLine>& lines);

class ResponseCompression {
 public:
  explicit ResponseCompression(Worker& worker) : worker_(worker) {}
  ~ResponseCompression() {
    if (body_.has_value()) --worker_.compressing();
  }
  ResponseCompression(const ResponseCompression&) = delete;

  // The body to be sent: `body`, or it compressed, with `lines` and `framing` changed to say so. The texts of the
  // changed lines live in this object.
  http::Body& apply(const std::optional<config::Compression>& settings, const http::RequestHead& request,
                    const ResponseFacts& response, std::vector<http::FieldLine>& lines, http::OutgoingFraming& framing,
                    http::Body& body);

 private:
  void weaken_tag(std::vector<http::FieldLine>& lines);
  void add_vary(std::vector<http::FieldLine>& lines);

  Worker& worker_;
  std::string tag_;
  std::string vary_;
  std::optional<compress::CompressedBody> body_;
};

}  // namespace ballast::traffic

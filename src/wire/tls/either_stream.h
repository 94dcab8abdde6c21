// EitherStream: a connection, plain or over TLS, as whoever owns it keeps it. A plain one costs no allocation and one
// pointer; get() may be kept as long as this is not moved. One thread: the Loop's.
#pragma once

#include <memory>
#include <utility>

#include "io/tcp.h"
#include "wire/tls/stream.h"

namespace ballast::tls {

class EitherStream {
 public:
  EitherStream(io::TcpStream tcp) : tcp_(std::move(tcp)) {}                     // NOLINT: it is one
  EitherStream(std::unique_ptr<Stream> secure) : secure_(std::move(secure)) {}  // NOLINT

  io::Stream& get() {
    if (secure_ != nullptr) return *secure_;
    return tcp_;
  }
  const io::Stream& get() const {
    if (secure_ != nullptr) return *secure_;
    return tcp_;
  }
  // Of the kernel's side, whatever lies above it.
  io::Descriptor& descriptor() { return get().descriptor(); }
  const io::Descriptor& descriptor() const { return secure_ != nullptr ? secure_->descriptor() : tcp_.descriptor(); }
  // nullptr: it is plain.
  const Stream* secure() const { return secure_.get(); }

 private:
  io::TcpStream tcp_;
  std::unique_ptr<Stream> secure_;
};

}  // namespace ballast::tls

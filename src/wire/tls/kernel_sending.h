// KernelSending: what has to be known of a connection so that the kernel can go on where the library stopped: the
// secret, how many records have been sent under it, and, of TLS 1.2, what the last one showed of its nonce.
//
//   Watching   the library encrypts; its records are counted
//   On         the kernel does; what the library still writes is encrypted with numbers that are used up, and is thrown
//              away: its alerts are sent by tls::Stream, and nothing else is to be said
//
// Asked for a new key by the peer (KeyUpdate), a connection that is On goes on with the one it has, as kernels before
// 6.14 cannot change it, and wants to end. Lives in its tls::Stream; the Loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "io/kernel_tls.h"
#include "wire/tls/sending_key.h"

struct ssl_ctx_st;
struct ssl_st;

namespace ballast::tls {

// The last nonce that records of TLS 1.2 with GCM have shown (RFC 5288 3); fed with all that is sent.
class ShownNonce {
 public:
  void see(Bytes bytes);
  // What the next record is to show. nullopt: none has been shown yet.
  std::optional<std::array<unsigned char, 8>> next() const;

 private:
  static constexpr std::size_t head_bytes = 5;
  std::array<unsigned char, head_bytes> head_{};
  std::array<unsigned char, 8> nonce_{};
  std::array<unsigned char, 8> last_{};  // of a record that is whole
  std::uint32_t at_ = 0;                 // in the record
  bool is_known_ = false;
};

class KernelSending {
 public:
  explicit KernelSending(std::shared_ptr<io::KernelTls> kernel) : kernel_(std::move(kernel)) {}
  KernelSending(const KernelSending&) = delete;
  ~KernelSending();

  bool is_on() const { return is_on_; }
  bool wants_end() const { return wants_end_; }
  // Gives the sending to the kernel, which has to have all that was encrypted so far. False: it stays with the library,
  // for good.
  bool take_over(const ssl_st* connection, io::Descriptor& descriptor);

  // What the next record is to be encrypted with.
  std::optional<io::TlsSendingKey> next_key(const ssl_st* connection) const;

  // A line of the library's key log.
  void take_secret(const ssl_st* connection, const char* line);
  // What the library tells of each record and message.
  void take_message(int is_written, int content_type, Bytes bytes);
  // What the library has encrypted.
  void see_sent(Bytes bytes) {
    if (secret_.size == 0) shown_.see(bytes);
  }

 private:
  std::shared_ptr<io::KernelTls> kernel_;
  TrafficSecret secret_;  // empty: not of TLS 1.3, or the handshake has not come so far
  std::uint64_t records_ = 0;
  ShownNonce shown_;
  bool is_on_ = false;
  bool wants_end_ = false;
  bool is_lost_ = false;  // the library knows a key that this does not
};

}  // namespace ballast::tls

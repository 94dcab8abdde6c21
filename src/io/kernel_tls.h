// KernelTls: the sending half of TLS connections, given to the kernel (kTLS, Linux 4.13 and later with its module
// `tls`), which then encrypts what is written, also by sendfile(2) and splice(2).
//
// One for the process, made at the start and shared by everything that makes TLS streams; any thread: it only counts.
// Whether the kernel can is asked once. Which ciphers it can is learned from the first connection of each: one that it
// refuses goes on as before, and the cipher is not asked for again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "io/stream.h"

namespace ballast::io {

enum class TlsVersion : std::uint8_t { Tls12, Tls13 };
enum class TlsCipher : std::uint8_t { Aes128Gcm, Aes256Gcm, ChaCha20Poly1305 };

// What the next record is encrypted with.
struct TlsSendingKey {
  TlsVersion version = TlsVersion::Tls13;
  TlsCipher cipher = TlsCipher::Aes128Gcm;
  std::array<std::uint8_t, 32> key{};  // of Aes128Gcm the first 16 bytes
  // Of TLS 1.3 and of ChaCha20Poly1305 as it was derived; of TLS 1.2 with GCM the 4 bytes that were derived and the 8
  // that the next record shows (RFC 5288 3).
  std::array<std::uint8_t, 12> iv{};
  std::uint64_t sequence = 0;  // of the next record

  ~TlsSendingKey();  // forgets the key
};

class KernelTls {
 public:
  enum class State : std::uint8_t { On, Off, Unavailable };

  // Asks the kernel, which loads its module for who may (CAP_NET_ADMIN). `reason()` says why not.
  static std::shared_ptr<KernelTls> find();
  // One that is not to be used.
  static std::shared_ptr<KernelTls> off();
  KernelTls(State state, std::string reason) : state_(state), reason_(std::move(reason)) {}

  State state() const { return state_; }
  bool is_on() const { return state_ == State::On; }
  const std::string& reason() const { return reason_; }

  // From now on everything written to this connection is plaintext. Nothing may be on its way that was not taken by the
  // kernel. False: it refuses, and the connection is as it was.
  bool take_over(Descriptor& descriptor, const TlsSendingKey& key);

  std::uint64_t taken_over() const { return taken_over_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  State state_;
  std::string reason_;
  std::atomic<std::uint64_t> taken_over_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint32_t> refused_ciphers_ = 0;  // a bit each
};

// On a connection that was taken over: one whole record of a type of its own (RFC 8446 5.1; 21: an alert).
Transfer send_tls_record(Descriptor& descriptor, std::uint8_t type, Bytes bytes);
// The same: whether the kernel has room for what it has taken and for a record behind it. Closing before loses what it
// has encrypted and not sent yet. Where it has none the descriptor becomes writable when it has.
bool has_room_to_end(Descriptor& descriptor);

}  // namespace ballast::io

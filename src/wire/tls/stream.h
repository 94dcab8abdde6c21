// tls::Stream: the Stream over TLS, on a TcpStream that it owns.
//
// OpenSSL reads and writes through a BIO of ours that asks the TcpStream and never blocks. At rest the library's
// buffers are given back and none of ours is held. What one try_write() encrypts goes out in one call to the kernel.
//
// Where much is to be moved to it (takes_moved()) and its context has a kernel that can, the kernel encrypts from then
// on; reading stays the library's. What is taken then is on its way when may_close() or end() say so.
//
// The end: End is the peer's close_notify. Where the connection ends without it, reads give Failed with Code::Closed
// and was_truncated() is true: what came may not be all. close() says close_notify, as far as the kernel takes it at
// once; end() says it and closes the sending side; reset() cuts. handshake() comes first, once; nothing else may be
// called before it is done but close() and reset(). One thread: the Loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "io/tcp.h"
#include "wire/tls/client_context.h"
#include "wire/tls/handshake.h"
#include "wire/tls/kernel_sending.h"
#include "wire/tls/server_context.h"

namespace ballast::tls {

class Stream final : public io::Stream {
 public:
  // nullptr: no memory.
  static std::unique_ptr<Stream> server(std::shared_ptr<const ServerContext> context, io::TcpStream tcp);
  struct Target {
    std::string name;                   // asked for and verified; a numeric address is verified alone
    std::shared_ptr<SessionSlot> slot;  // nullptr: nothing is resumed
  };
  static std::unique_ptr<Stream> client(std::shared_ptr<const ClientContext> context, io::TcpStream tcp, Target target);
  Stream(const Stream&) = delete;
  ~Stream() override;

  // After a failure the peer has been sent the alert, and the stream is only to be closed.
  io::Task<HandshakeEnd> handshake(io::Deadline deadline);
  // The connection below: after a failed handshake, to answer in plain text and to close so that the alert arrives.
  io::TcpStream& below() { return tcp_; }
  // Of a failed one, for the operator: "certificate verify failed: self-signed certificate".
  const std::string& failure() const { return failure_; }
  // The last fatal alert that went either way; none: there was none.
  struct Alerted {
    std::uint8_t number = 0;
    bool by_peer = false;
  };
  const std::optional<Alerted>& alerted() const { return alerted_; }

  std::string_view version() const;      // "TLSv1.3"
  std::string_view cipher() const;       // "TLS_AES_128_GCM_SHA256"
  std::string_view server_name() const;  // as the client asked; empty: not at all
  std::string_view protocol() const;     // by ALPN: "http/1.1"; empty: none was agreed
  std::string peer_subject() const;      // of a verified certificate: "CN=alice"; empty: it has shown none
  // Of a verified certificate, as PEM; made once; empty: it has shown none.
  std::string_view peer_certificate() const;
  std::string_view session_id() const;  // in hex; made once; empty: there is none
  int key_bits() const;                 // of the cipher
  // What its handshake was made with.
  const void* context() const { return context_.get(); }
  bool was_truncated() const { return truncated_; }
  // Whether the kernel encrypts what is sent.
  bool kernel_sends() const { return kernel_ != nullptr && kernel_->is_on(); }
  // The peer has asked for what cannot be done for it (another key): the connection is to be used no longer than
  // needed.
  bool wants_end() const { return kernel_ != nullptr && kernel_->wants_end(); }

  io::Transfer try_read(char* into, std::size_t size) override;
  using io::Stream::try_write;
  // Bytes that were not taken must be offered again, first, in the next call: some of them may be encrypted already.
  io::Transfer try_write(std::span<const Bytes> parts) override;
  io::Transfer try_write_more(Bytes bytes) override;
  io::Ready until_readable(io::Deadline deadline) override { return tcp_.until_readable(deadline); }
  io::Ready until_writable(io::Deadline deadline) override { return tcp_.until_writable(deadline); }
  bool may_read() const override { return tcp_.may_read(); }
  void look() override;
  bool end() override;
  bool may_close() override { return !kernel_sends() || say_end(); }
  void close() override;
  void reset() override { tcp_.reset(); }
  bool is_open() const override { return tcp_.is_open(); }
  io::Loop& loop() const override { return tcp_.loop(); }
  io::Descriptor& descriptor() override { return tcp_.descriptor(); }
  const io::Descriptor& descriptor() const { return tcp_.descriptor(); }
  bool is_plain() const override { return false; }
  // Fewer bytes do not make up for what it costs to give the sending to the kernel: three calls, and its cipher's
  // set-up.
  static constexpr std::uint64_t kernel_worth_bytes = 64 * kib;
  bool takes_moved(std::uint64_t bytes) override;

  // The library's: a session of ours with a target.
  static int take_session(ssl_st* connection, ssl_session_st* session);
  // The library's: a step of the handshake, or an alert.
  static void take_note(const ssl_st* connection, int where, int value);
  // The library's: a secret, as a line of a key log.
  static void take_secret(const ssl_st* connection, const char* line);

 private:
  struct Bio;
  explicit Stream(io::TcpStream tcp) : tcp_(std::move(tcp)) {}
  bool begin(ssl_ctx_st* context, const std::shared_ptr<io::KernelTls>& kernel);
  // The library's: a record's head, or a message.
  static void take_message(int is_written, int version, int content_type, const void* bytes, std::size_t size,
                           ssl_st* connection, void* stream);
  // Where the ciphertext of one call goes.
  enum class Sending : std::uint8_t { Gather, Now };
  void encrypted(Bytes bytes);
  void send(Bytes first, Bytes second);
  // Sends what the kernel would not take before; false while some is left.
  bool send_rest();
  void send_gathered();
  // False: the kernel takes nothing now.
  bool say_end();
  // What became of bytes that the kernel encrypts.
  io::Transfer passed_on(io::Transfer put);
  HandshakeEnd failed_handshake();
  io::Transfer failed_read(int outcome);
  io::Transfer stopped_write(int outcome, std::size_t taken);

  std::shared_ptr<const void> context_;  // the callbacks' data
  io::TcpStream tcp_;
  std::unique_ptr<KernelSending> kernel_;  // nullptr: this process encrypts
  Owned<ssl_st> connection_;
  std::shared_ptr<SessionSlot> slot_;
  Buffer unsent_;               // ciphertext; bounded by what one try_write() encrypts
  std::uint32_t gathered_ = 0;  // bytes in the loop's send buffer, during a call
  std::uint32_t owed_ = 0;      // plaintext that is encrypted and has not been said to be taken
  Sending sending_ = Sending::Now;
  bool established_ = false;
  bool said_end_ = false;
  bool truncated_ = false;
  std::optional<Code> tcp_failed_;            // Closed: the peer's last byte has come
  std::optional<io::Transfer> reading_over_;  // End or Failed: so it stays
  std::string failure_;
  std::optional<Alerted> alerted_;
  mutable std::optional<std::string> peer_certificate_;
  mutable std::optional<std::string> session_id_;
};

}  // namespace ballast::tls

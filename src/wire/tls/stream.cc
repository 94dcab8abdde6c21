#include "wire/tls/stream.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "io/loop.h"
#include "wire/tls/distinguished_name.h"

namespace ballast::tls {
namespace {

// RFC 8446 5.1: at most so much plaintext in a record.
constexpr std::size_t record_bytes_max = 16 * kib;
// Encrypted by one try_write(), so that it fits the loop's send buffer: four records, each with less than 256 bytes
// around it.
constexpr std::size_t write_bytes_max = 4 * record_bytes_max;
static_assert(io::Loop::send_buffer_bytes >= write_bytes_max + 4 * 256);

// Plaintext in parts, taken record by record.
class Plaintext {
 public:
  explicit Plaintext(std::span<const Bytes> parts) : parts_(parts) {
    for (const Bytes part : parts) left_ += part.size();
  }
  std::size_t left() const { return left_; }
  void skip(std::size_t count) {
    left_ -= count;
    while (count != 0) {
      const std::size_t step = std::min(count, parts_.front().size() - at_);
      at_ += step;
      count -= step;
      pass_ended();
    }
  }
  // The next record's bytes: in place, or gathered into `storage` from several parts.
  Bytes next(std::span<char> storage) {
    pass_ended();
    const Bytes part = parts_.front().substr(at_);
    const std::size_t wanted = std::min(left_, record_bytes_max);
    if (part.size() >= wanted) {
      skip(wanted);
      return part.substr(0, wanted);
    }
    std::size_t filled = 0;
    while (filled < wanted) {
      const Bytes rest = parts_.front().substr(at_);
      const std::size_t step = std::min(rest.size(), wanted - filled);
      std::memcpy(storage.data() + filled, rest.data(), step);
      filled += step;
      skip(step);
    }
    return {storage.data(), wanted};
  }

 private:
  void pass_ended() {
    while (!parts_.empty() && at_ == parts_.front().size()) {
      parts_ = parts_.subspan(1);
      at_ = 0;
    }
  }
  std::span<const Bytes> parts_;
  std::size_t at_ = 0;
  std::size_t left_ = 0;
};

bool is_numeric(const std::string& name) {
  return io::SocketAddress::numeric(name, 0).has_value();
}

}  // namespace

// The library's view of the TcpStream.
struct Stream::Bio {
  static Stream& of(BIO* bio) { return *static_cast<Stream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
    Stream& self = of(bio);
    BIO_clear_retry_flags(bio);
    *got = 0;
    if (self.tcp_failed_.has_value()) return 0;
    const io::Transfer transfer = self.tcp_.may_read() ? self.tcp_.try_read(into, size) : io::Transfer{};
    switch (transfer.state) {
      case io::TransferState::Done:
        *got = transfer.count;
        return 1;
      case io::TransferState::WouldBlock:
        BIO_set_retry_read(bio);
        return 0;
      case io::TransferState::End:
        self.tcp_failed_ = Code::Closed;
        return 0;
      case io::TransferState::Failed:
        self.tcp_failed_ = transfer.code;
        return 0;
    }
    return 0;
  }

  // Takes everything: what the kernel would not is kept.
  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* put) {
    of(bio).encrypted({bytes, size});
    *put = size;
    return 1;
  }

  static long control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return of(bio).tcp_failed_.has_value() ? 1 : 0;
      default:
        return 0;
    }
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ballast stream");
      CHECK(bio != nullptr);
      BIO_meth_set_read_ex(bio, &read);
      BIO_meth_set_write_ex(bio, &write);
      BIO_meth_set_ctrl(bio, &control);
      return bio;
    }();
    return made;
  }
};

std::unique_ptr<Stream> Stream::server(std::shared_ptr<const ServerContext> context, io::TcpStream tcp) {
  std::unique_ptr<Stream> stream(new Stream(std::move(tcp)));
  if (!stream->begin(context->get(), context->kernel())) return nullptr;
  SSL_set_accept_state(stream->connection_.get());
  stream->context_ = std::move(context);
  return stream;
}

std::unique_ptr<Stream> Stream::client(std::shared_ptr<const ClientContext> context, io::TcpStream tcp, Target target) {
  std::unique_ptr<Stream> stream(new Stream(std::move(tcp)));
  if (!stream->begin(context->get(), context->kernel())) return nullptr;
  SSL* connection = stream->connection_.get();
  SSL_set_connect_state(connection);
  const bool verifies = (SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) != 0;
  if (is_numeric(target.name)) {
    if (verifies) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), target.name.c_str());
  } else if (!target.name.empty()) {
    SSL_set_tlsext_host_name(connection, target.name.c_str());
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (verifies && SSL_set1_host(connection, target.name.c_str()) != 1) return nullptr;
  }
  if (target.slot != nullptr) {
    SessionSlot& slot = *target.slot;
    if (slot.context != context || slot.name != target.name) {
      slot = {.session = nullptr, .context = context, .name = std::move(target.name)};
    }
    if (slot.session != nullptr) SSL_set_session(connection, slot.session.get());
  }
  stream->slot_ = std::move(target.slot);
  stream->context_ = std::move(context);
  return stream;
}

bool Stream::begin(ssl_ctx_st* context, const std::shared_ptr<io::KernelTls>& kernel) {
  connection_.reset(SSL_new(context));
  BIO* bio = connection_ != nullptr ? BIO_new(Bio::method()) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(connection_.get(), bio, bio);
  SSL_set_app_data(connection_.get(), this);
  SSL_set_info_callback(connection_.get(), take_note);
  if (kernel != nullptr) {
    kernel_ = std::make_unique<KernelSending>(kernel);
    SSL_set_msg_callback(connection_.get(), take_message);
    SSL_set_msg_callback_arg(connection_.get(), this);
  }
  return true;
}

void Stream::take_secret(const ssl_st* connection, const char* line) {
  auto* self = static_cast<Stream*>(SSL_get_app_data(connection));
  if (self != nullptr && self->kernel_ != nullptr) self->kernel_->take_secret(connection, line);
}

void Stream::take_message(int is_written, int /*version*/, int content_type, const void* bytes, std::size_t size,
                          ssl_st* /*connection*/, void* stream) {
  auto* self = static_cast<Stream*>(stream);
  if (self->kernel_ == nullptr) return;
  const Bytes message(static_cast<const char*>(bytes), size);
  self->kernel_->take_message(is_written, content_type, message);
  if (is_written != 0 && content_type == SSL3_RT_ALERT && self->kernel_sends() && self->is_open()) {
    // What the library itself makes of it goes nowhere. One that the kernel does not take is lost, as it may be anyway.
    io::send_tls_record(self->tcp_.descriptor(), SSL3_RT_ALERT, message);
  }
}

bool Stream::takes_moved(std::uint64_t bytes) {
  if (kernel_ == nullptr) return false;
  if (kernel_->is_on()) return true;
  if (bytes < kernel_worth_bytes || !established_ || said_end_ || tcp_failed_.has_value()) return false;
  if (owed_ != 0 || !send_rest() || SSL_in_init(connection_.get()) != 0) return false;
  if (kernel_->take_over(connection_.get(), tcp_.descriptor())) return true;
  SSL_set_msg_callback(connection_.get(), nullptr);
  kernel_.reset();
  return false;
}

void Stream::take_note(const ssl_st* connection, int where, int value) {
  constexpr int fatal = 2;
  if ((where & SSL_CB_ALERT) == 0 || (value >> 8) != fatal) return;
  auto* self = static_cast<Stream*>(SSL_get_app_data(connection));
  if (self == nullptr) return;
  self->alerted_ = Alerted{static_cast<std::uint8_t>(value & 0xff), (where & SSL_CB_READ) != 0};
}

Stream::~Stream() {
  reset();
}

int Stream::take_session(ssl_st* connection, ssl_session_st* session) {
  auto* self = static_cast<Stream*>(SSL_get_app_data(connection));
  if (self == nullptr || self->slot_ == nullptr || self->slot_->context != self->context_) return 0;
  self->slot_->session.reset(session);
  return 1;  // it is ours now
}

void Stream::encrypted(Bytes bytes) {
  if (kernel_ != nullptr) {
    if (kernel_->is_on()) return;  // not with its keys any more
    kernel_->see_sent(bytes);
  }
  const std::span<char> gather = tcp_.descriptor().loop().send_buffer();
  if (sending_ == Sending::Gather && gathered_ + bytes.size() <= gather.size()) {
    std::memcpy(gather.data() + gathered_, bytes.data(), bytes.size());
    gathered_ += static_cast<std::uint32_t>(bytes.size());
    return;
  }
  send({gather.data(), std::exchange(gathered_, 0)}, bytes);
}

void Stream::send_gathered() {
  if (gathered_ == 0) return;
  send({tcp_.descriptor().loop().send_buffer().data(), std::exchange(gathered_, 0)}, {});
}

void Stream::send(Bytes first, Bytes second) {
  std::size_t taken = 0;
  if (unsent_.empty() && tcp_.is_open()) {
    const std::array parts{first, second};
    const io::Transfer put = tcp_.try_write(parts);
    if (put.state == io::TransferState::Failed) {
      tcp_failed_ = put.code;
      return;
    }
    taken = put.state == io::TransferState::Done ? put.count : 0;
  }
  const std::size_t of_first = std::min(taken, first.size());
  unsent_.append(first.substr(of_first));
  unsent_.append(second.substr(taken - of_first));
}

bool Stream::send_rest() {
  while (!unsent_.empty()) {
    const io::Transfer put = tcp_.try_write(unsent_.view());
    if (put.state == io::TransferState::WouldBlock) return false;
    if (put.state != io::TransferState::Done) {
      tcp_failed_ = put.code;
      unsent_.release();
      return true;
    }
    unsent_.consume(put.count);
  }
  unsent_.release();
  return true;
}

io::Task<HandshakeEnd> Stream::handshake(io::Deadline deadline) {
  SSL* connection = connection_.get();
  while (true) {
    ERR_clear_error();
    sending_ = Sending::Gather;
    const int outcome = SSL_do_handshake(connection);
    sending_ = Sending::Now;
    send_gathered();
    if (outcome == 1) break;
    const int why = SSL_get_error(connection, outcome);
    if (why != SSL_ERROR_WANT_READ || tcp_failed_.has_value()) co_return failed_handshake();
    // The peer answers what it has got whole.
    while (!send_rest()) {
      const io::Wake wake = co_await tcp_.until_writable(deadline);
      if (wake != io::Wake::Event)
        co_return wake == io::Wake::Deadline ? HandshakeEnd::Timeout : HandshakeEnd::CalledOff;
    }
    const io::Wake wake = co_await tcp_.until_readable(deadline);
    if (wake != io::Wake::Event) co_return wake == io::Wake::Deadline ? HandshakeEnd::Timeout : HandshakeEnd::CalledOff;
  }
  established_ = true;
  if (SSL_has_pending(connection) != 0) tcp_.descriptor().still_readable();
  co_return SSL_session_reused(connection) != 0 ? HandshakeEnd::Resumed : HandshakeEnd::Ok;
}

HandshakeEnd Stream::failed_handshake() {
  SSL* connection = connection_.get();
  const unsigned long first = ERR_peek_error();
  if (tcp_failed_.has_value() && (first == 0 || ERR_GET_REASON(first) == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
    failure_ = *tcp_failed_ == Code::Closed ? "the connection was closed" : std::string(to_string(*tcp_failed_));
    ERR_clear_error();
    return HandshakeEnd::PeerGone;
  }
  const char* reason = ERR_reason_error_string(first);
  failure_ = reason != nullptr ? reason : "unknown failure";
  HandshakeEnd end = handshake_end_of(first);
  if (ERR_GET_REASON(first) == SSL_R_CALLBACK_FAILED) {
    // Of our callbacks that of the name alone refuses so.
    end = HandshakeEnd::UnknownName;
    failure_ = "no certificate is for that name";
  }
  if (end == HandshakeEnd::BadCertificate) {
    failure_ = fmt::format("the certificate is not trusted: {}",
                           X509_verify_cert_error_string(SSL_get_verify_result(connection)));
  }
  ERR_clear_error();
  return end;
}

std::string_view Stream::version() const {
  return SSL_get_version(connection_.get());
}

std::string_view Stream::cipher() const {
  const char* name = SSL_get_cipher_name(connection_.get());
  return name != nullptr ? name : "";
}

std::string_view Stream::server_name() const {
  const char* name = SSL_get_servername(connection_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

std::string_view Stream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string Stream::peer_subject() const {
  const X509* certificate = SSL_get0_peer_certificate(connection_.get());
  if (certificate == nullptr || SSL_get_verify_result(connection_.get()) != X509_V_OK) return "";
  return distinguished_name(X509_get_subject_name(certificate));
}

std::string_view Stream::peer_certificate() const {
  if (peer_certificate_.has_value()) return *peer_certificate_;
  std::string& pem = peer_certificate_.emplace();
  X509* certificate = SSL_get0_peer_certificate(connection_.get());
  if (certificate == nullptr || SSL_get_verify_result(connection_.get()) != X509_V_OK) return pem;
  BIO* memory = BIO_new(BIO_s_mem());
  if (memory == nullptr) return pem;
  char* text = nullptr;
  if (PEM_write_bio_X509(memory, certificate) == 1) {
    const long size = BIO_get_mem_data(memory, &text);
    pem.assign(text, static_cast<std::size_t>(size));
  }
  BIO_free(memory);
  return pem;
}

std::string_view Stream::session_id() const {
  if (session_id_.has_value()) return *session_id_;
  std::string& hex = session_id_.emplace();
  const SSL_SESSION* session = SSL_get_session(connection_.get());
  if (session == nullptr) return hex;
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  for (unsigned i = 0; i < size; ++i) {
    hex.push_back("0123456789abcdef"[id[i] >> 4U]);
    hex.push_back("0123456789abcdef"[id[i] & 15U]);
  }
  return hex;
}

int Stream::key_bits() const {
  return SSL_get_cipher_bits(connection_.get(), nullptr);
}

io::Transfer Stream::failed_read(int outcome) {
  const int why = SSL_get_error(connection_.get(), outcome);
  if (why == SSL_ERROR_ZERO_RETURN) {
    reading_over_ = io::Transfer{io::TransferState::End, Code::Closed, 0};
  } else if (tcp_failed_.has_value()) {
    truncated_ = true;
    reading_over_ = io::Transfer{io::TransferState::Failed, *tcp_failed_, 0};
  } else if (why == SSL_ERROR_WANT_READ) {
    return {};
  } else {
    // An alert of the peer, or bytes that are not what it sent.
    truncated_ = true;
    reading_over_ = io::Transfer{io::TransferState::Failed, Code::Reset, 0};
  }
  return *reading_over_;
}

io::Transfer Stream::try_read(char* into, std::size_t size) {
  if (reading_over_.has_value()) return *reading_over_;
  if (!unsent_.empty()) send_rest();
  SSL* connection = connection_.get();
  std::size_t total = 0;
  while (total < size) {
    ERR_clear_error();
    std::size_t got = 0;
    const int outcome = SSL_read_ex(connection, into + total, size - total, &got);
    if (outcome != 1) {
      const io::Transfer end = failed_read(outcome);
      if (total == 0) return end;
      break;
    }
    total += got;
    if (SSL_has_pending(connection) == 0 && !tcp_.may_read()) break;
  }
  // What is decrypted, or how it ended, is there to be read, whatever the kernel has.
  if (reading_over_.has_value() || SSL_has_pending(connection) != 0) tcp_.descriptor().still_readable();
  return {io::TransferState::Done, Code::Closed, total};
}

void Stream::look() {
  if (!tcp_.may_read() || reading_over_.has_value()) return;
  // What has come may be no bytes for us but a session ticket of the target's.
  char byte = 0;
  std::size_t got = 0;
  ERR_clear_error();
  const int outcome = SSL_peek_ex(connection_.get(), &byte, 1, &got);
  if (outcome != 1) failed_read(outcome);
  if (outcome == 1 || reading_over_.has_value()) tcp_.descriptor().still_readable();
}

io::Transfer Stream::stopped_write(int outcome, std::size_t taken) {
  const bool wants_read = SSL_get_error(connection_.get(), outcome) == SSL_ERROR_WANT_READ;
  sending_ = Sending::Now;
  send_gathered();
  if (!wants_read || tcp_failed_.has_value()) return {io::TransferState::Failed, tcp_failed_.value_or(Code::Reset), 0};
  // A session ticket of the target's has come in part: nothing is written before the rest is there. The kernel says
  // that we may write also when it says that there is something to read.
  tcp_.descriptor().not_writable();
  if (taken == 0) return {};
  return {io::TransferState::Done, Code::Closed, taken};
}

io::Transfer Stream::try_write(std::span<const Bytes> parts) {
  if (!send_rest()) return {};
  if (tcp_failed_.has_value() && *tcp_failed_ != Code::Closed) return {io::TransferState::Failed, *tcp_failed_, 0};
  if (kernel_sends()) return passed_on(tcp_.try_write(parts));
  SSL* connection = connection_.get();
  Plaintext plaintext(parts);
  std::size_t taken = std::exchange(owed_, 0);
  CHECK(taken <= plaintext.left());
  plaintext.skip(taken);
  std::size_t written = 0;
  std::size_t last = 0;
  std::array<char, record_bytes_max> storage;
  while (plaintext.left() != 0 && written < write_bytes_max) {
    const Bytes record = plaintext.next(storage);
    const bool is_last = plaintext.left() == 0 || written + record.size() >= write_bytes_max;
    sending_ = is_last ? Sending::Now : Sending::Gather;
    ERR_clear_error();
    const int outcome = SSL_write_ex(connection, record.data(), record.size(), &last);
    if (outcome != 1 || last != record.size()) return stopped_write(outcome, taken + written);
    written += last;
  }
  sending_ = Sending::Now;
  if (tcp_failed_.has_value() && *tcp_failed_ != Code::Closed) return {io::TransferState::Failed, *tcp_failed_, 0};
  taken += written;
  if (!unsent_.empty()) {
    // Said to be taken when the kernel has it.
    owed_ = static_cast<std::uint32_t>(last);
    taken -= last;
  }
  if (taken == 0 && plaintext.left() + written != 0) return {};
  return {io::TransferState::Done, Code::Closed, taken};
}

io::Transfer Stream::passed_on(io::Transfer put) {
  if (put.state == io::TransferState::Failed) tcp_failed_ = put.code;
  return put;
}

io::Transfer Stream::try_write_more(Bytes bytes) {
  return kernel_sends() ? passed_on(tcp_.try_write_more(bytes)) : try_write(bytes);
}

bool Stream::say_end() {
  if (!established_ || said_end_ || !is_open()) return true;
  if (tcp_failed_.has_value() && *tcp_failed_ != Code::Closed) return true;
  if (!send_rest() || (kernel_sends() && !io::has_room_to_end(tcp_.descriptor()))) return false;
  said_end_ = true;
  ERR_clear_error();
  SSL_shutdown(connection_.get());
  ERR_clear_error();
  return true;
}

bool Stream::end() {
  if (!is_open()) return true;
  if (!say_end() && kernel_sends()) return false;
  if (!tcp_failed_.has_value() && !send_rest()) return false;
  return tcp_.end();
}

void Stream::close() {
  if (!is_open()) return;
  say_end();
  tcp_.close();
}

}  // namespace ballast::tls

#include "io/kernel_tls.h"

#include <cerrno>
#include <cstring>

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/descriptor.h"
#include "io/owned_fd.h"

namespace ballast::io {
namespace {

constexpr int sol_tls = 282;
constexpr char upper_layer[] = "tls";

int add_upper_layer(int fd) {
  return ::setsockopt(fd, IPPROTO_TCP, TCP_ULP, upper_layer, sizeof upper_layer) == 0 ? 0 : errno;
}

template <typename Info>
bool give(int fd, const TlsSendingKey& key, std::uint16_t cipher) {
  Info info{};
  info.info.version = key.version == TlsVersion::Tls13 ? TLS_1_3_VERSION : TLS_1_2_VERSION;
  info.info.cipher_type = cipher;
  std::memcpy(info.key, key.key.data(), sizeof info.key);
  constexpr std::size_t salt_bytes = sizeof(TlsSendingKey::iv) - sizeof info.iv;
  if constexpr (salt_bytes != 0) std::memcpy(info.salt, key.iv.data(), salt_bytes);
  std::memcpy(info.iv, key.iv.data() + salt_bytes, sizeof info.iv);
  for (std::size_t i = 0; i < sizeof info.rec_seq; ++i) {
    info.rec_seq[i] = static_cast<unsigned char>(key.sequence >> (8 * (sizeof info.rec_seq - 1 - i)));
  }
  const bool taken = ::setsockopt(fd, sol_tls, TLS_TX, &info, sizeof info) == 0;
  ::explicit_bzero(&info, sizeof info);
  return taken;
}

bool give(int fd, const TlsSendingKey& key) {
  switch (key.cipher) {
    case TlsCipher::Aes128Gcm:
      return give<tls12_crypto_info_aes_gcm_128>(fd, key, TLS_CIPHER_AES_GCM_128);
    case TlsCipher::Aes256Gcm:
      return give<tls12_crypto_info_aes_gcm_256>(fd, key, TLS_CIPHER_AES_GCM_256);
    case TlsCipher::ChaCha20Poly1305:
      return give<tls12_crypto_info_chacha20_poly1305>(fd, key, TLS_CIPHER_CHACHA20_POLY1305);
  }
  return false;
}

}  // namespace

TlsSendingKey::~TlsSendingKey() {
  ::explicit_bzero(key.data(), key.size());
}

std::shared_ptr<KernelTls> KernelTls::off() {
  return std::make_shared<KernelTls>(State::Off, "the file says kernel_tls: off");
}

std::shared_ptr<KernelTls> KernelTls::find() {
  const OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int error = fd.is_open() ? add_upper_layer(fd.get()) : errno;
  // The socket has no connection, which a kernel that knows this layer complains of.
  if (error == 0 || error == ENOTCONN) return std::make_shared<KernelTls>(State::On, "");
  if (error == ENOENT) {
    return std::make_shared<KernelTls>(State::Unavailable,
                                       "the kernel has no module `tls`, or it is not loaded (modprobe tls)");
  }
  return std::make_shared<KernelTls>(State::Unavailable, Error::from_errno(error, "ask the kernel for TLS").text());
}

bool KernelTls::take_over(Descriptor& descriptor, const TlsSendingKey& key) {
  const std::uint32_t bit = 1U << (2 * static_cast<unsigned>(key.cipher) + static_cast<unsigned>(key.version));
  if (!is_on() || (refused_ciphers_.load(std::memory_order_relaxed) & bit) != 0) return false;
  // With the layer and no key the connection is as it was.
  if (add_upper_layer(descriptor.fd()) == 0) {
    if (give(descriptor.fd(), key)) {
      taken_over_.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
    if (errno != ENOMEM && errno != ENOBUFS) refused_ciphers_.fetch_or(bit, std::memory_order_relaxed);
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

Transfer send_tls_record(Descriptor& descriptor, std::uint8_t type, Bytes bytes) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof type)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = sol_tls;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof type);
  *CMSG_DATA(header) = type;
  while (true) {
    const ssize_t put = ::sendmsg(descriptor.fd(), &message, MSG_NOSIGNAL);
    if (put >= 0) return {TransferState::Done, Code::Closed, static_cast<std::size_t>(put)};
    if (errno == EAGAIN) {
      descriptor.not_writable();
      return {};
    }
    if (errno != EINTR) return {TransferState::Failed, Error::code_of_errno(errno), 0};
  }
}

bool has_room_to_end(Descriptor& descriptor) {
  pollfd one{.fd = descriptor.fd(), .events = POLLOUT, .revents = 0};
  // That the kernel was asked makes it tell of the room later. A connection that has failed has room for nothing more.
  if (::poll(&one, 1, 0) != 0) return true;
  descriptor.not_writable();
  return false;
}

}  // namespace ballast::io

#include "wire/tls/kernel_sending.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

namespace ballast::tls {

void ShownNonce::see(Bytes bytes) {
  while (!bytes.empty()) {
    std::size_t step = 1;
    if (at_ < head_bytes) {
      head_[at_] = static_cast<unsigned char>(bytes.front());
    } else if (at_ < head_bytes + nonce_.size()) {
      nonce_[at_ - head_bytes] = static_cast<unsigned char>(bytes.front());
    } else {
      step = std::min<std::size_t>(bytes.size(), head_bytes + (head_[3] << 8U) + head_[4] - at_);
    }
    bytes.remove_prefix(step);
    at_ += static_cast<std::uint32_t>(step);
    if (at_ < head_bytes || at_ < head_bytes + (head_[3] << 8U) + head_[4]) continue;
    is_known_ = at_ >= head_bytes + nonce_.size();
    last_ = nonce_;
    at_ = 0;
  }
}

std::optional<std::array<unsigned char, 8>> ShownNonce::next() const {
  if (!is_known_ || at_ != 0) return std::nullopt;
  std::array<unsigned char, 8> next = last_;
  for (std::size_t i = next.size(); i != 0 && ++next[i - 1] == 0; --i) {
  }
  return next;
}

KernelSending::~KernelSending() {
  OPENSSL_cleanse(secret_.bytes.data(), secret_.bytes.size());
}

std::optional<io::TlsSendingKey> KernelSending::next_key(const SSL* connection) const {
  if (is_lost_) return std::nullopt;
  const bool is_13 = SSL_version(connection) == TLS1_3_VERSION;
  if (!is_13 && SSL_version(connection) != TLS1_2_VERSION) return std::nullopt;
  std::optional<io::TlsSendingKey> key =
      is_13 ? sending_key(SSL_get_current_cipher(connection), secret_) : sending_key(connection);
  if (!key.has_value()) return std::nullopt;
  key->sequence = records_;
  if (!is_13 && key->cipher != io::TlsCipher::ChaCha20Poly1305) {
    const auto nonce = shown_.next();
    if (!nonce.has_value()) return std::nullopt;
    std::copy(nonce->begin(), nonce->end(), key->iv.begin() + 4);
  }
  return key;
}

bool KernelSending::take_over(const SSL* connection, io::Descriptor& descriptor) {
  const std::optional<io::TlsSendingKey> key = next_key(connection);
  is_on_ = key.has_value() && kernel_->take_over(descriptor, *key);
  // It is not needed any more.
  OPENSSL_cleanse(secret_.bytes.data(), secret_.bytes.size());
  return is_on_;
}

void KernelSending::take_secret(const SSL* connection, const char* line) {
  // "SERVER_TRAFFIC_SECRET_0 <the client's random> <the secret>", in hex.
  const std::string_view text(line);
  const std::string_view label =
      SSL_is_server(connection) != 0 ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
  if (!text.starts_with(label)) return;
  const std::string_view hex = text.substr(text.rfind(' ') + 1);
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15U; };
  if (hex.size() % 2 != 0 || hex.size() > 2 * secret_.bytes.size()) return;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    secret_.bytes[i / 2] = static_cast<unsigned char>((digit(hex[i]) << 4U) | digit(hex[i + 1]));
  }
  secret_.size = static_cast<std::uint8_t>(hex.size() / 2);
  records_ = 0;
}

void KernelSending::take_message(int is_written, int content_type, Bytes bytes) {
  constexpr char key_update = 24;
  if (content_type == SSL3_RT_HANDSHAKE && !bytes.empty() && bytes.front() == key_update) {
    if (is_written == 0) {
      // RFC 8446 4.6.3: one that asks for the same.
      if (is_on_ && bytes.size() == 5 && bytes.back() == SSL_KEY_UPDATE_REQUESTED) wants_end_ = true;
    } else if (!is_on_) {
      is_lost_ = is_lost_ || !advance(secret_);
      records_ = 0;
    }
    return;
  }
  if (is_written == 0) return;
  if (content_type == SSL3_RT_HEADER) ++records_;
  if (content_type == SSL3_RT_CHANGE_CIPHER_SPEC) records_ = 0;
}

}  // namespace ballast::tls

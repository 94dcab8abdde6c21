#include "wire/tls/sending_key.h"

#include <cstring>
#include <span>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>

namespace ballast::tls {
namespace {

struct Form {
  io::TlsCipher cipher;
  std::size_t key_bytes;
};

std::optional<Form> form_of(const SSL_CIPHER* cipher) {
  if (cipher == nullptr) return std::nullopt;
  switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
      return Form{io::TlsCipher::Aes128Gcm, 16};
    case NID_aes_256_gcm:
      return Form{io::TlsCipher::Aes256Gcm, 32};
    case NID_chacha20_poly1305:
      return Form{io::TlsCipher::ChaCha20Poly1305, 32};
    default:
      return std::nullopt;
  }
}

OSSL_PARAM octets(const char* name, Bytes bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

OSSL_PARAM word(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

bool derive(const char* function, const OSSL_PARAM* parameters, std::span<unsigned char> into) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, function, nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  const bool derived = context != nullptr && EVP_KDF_derive(context, into.data(), into.size(), parameters) == 1;
  EVP_KDF_CTX_free(context);
  return derived;
}

template <std::size_t Size>
Bytes view(const std::array<unsigned char, Size>& bytes, std::size_t size = Size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

bool expand_label(const char* digest, Bytes secret, std::string_view label, std::span<unsigned char> into) {
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  const std::array parameters{
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      word(OSSL_KDF_PARAM_DIGEST, digest),
      octets(OSSL_KDF_PARAM_KEY, secret),
      octets(OSSL_KDF_PARAM_PREFIX, "tls13 "),
      octets(OSSL_KDF_PARAM_LABEL, label),
      OSSL_PARAM_construct_end(),
  };
  return derive(OSSL_KDF_NAME_TLS1_3_KDF, parameters.data(), into);
}

namespace {

const char* digest_of(const TrafficSecret& secret) {
  return secret.size == 48 ? "SHA384" : "SHA256";
}

}  // namespace

bool advance(TrafficSecret& secret) {
  TrafficSecret next{.size = secret.size};
  const bool derived =
      expand_label(digest_of(secret), secret.view(), "traffic upd", std::span(next.bytes.data(), next.size));
  secret = next;
  OPENSSL_cleanse(next.bytes.data(), next.bytes.size());
  return derived;
}

std::optional<io::TlsSendingKey> sending_key(const SSL_CIPHER* cipher, const TrafficSecret& secret) {
  const std::optional<Form> form = form_of(cipher);
  if (!form.has_value() || secret.size == 0) return std::nullopt;
  io::TlsSendingKey made{.version = io::TlsVersion::Tls13, .cipher = form->cipher};
  const char* digest = digest_of(secret);
  if (!expand_label(digest, secret.view(), "key", std::span(made.key.data(), form->key_bytes)) ||
      !expand_label(digest, secret.view(), "iv", made.iv)) {
    return std::nullopt;
  }
  return made;
}

std::optional<io::TlsSendingKey> sending_key(const SSL* connection) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(connection);
  const std::optional<Form> form = form_of(cipher);
  const SSL_SESSION* session = SSL_get_session(connection);
  const EVP_MD* digest = cipher != nullptr ? SSL_CIPHER_get_handshake_digest(cipher) : nullptr;
  if (!form.has_value() || session == nullptr || digest == nullptr) return std::nullopt;
  std::array<unsigned char, 48> master;
  std::array<unsigned char, SSL3_RANDOM_SIZE> client;
  std::array<unsigned char, SSL3_RANDOM_SIZE> server;
  const std::size_t master_bytes = SSL_SESSION_get_master_key(session, master.data(), master.size());
  SSL_get_client_random(connection, client.data(), client.size());
  SSL_get_server_random(connection, server.data(), server.size());

  // No keys of a MAC: client's key, server's key, client's iv, server's iv.
  const std::size_t iv_bytes = form->cipher == io::TlsCipher::ChaCha20Poly1305 ? 12 : 4;
  std::array<unsigned char, 2 * (32 + 12)> block;
  const std::span used(block.data(), 2 * (form->key_bytes + iv_bytes));
  const std::array parameters{
      word(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(digest)),
      octets(OSSL_KDF_PARAM_SECRET, view(master, master_bytes)),
      octets(OSSL_KDF_PARAM_SEED, "key expansion"),
      octets(OSSL_KDF_PARAM_SEED, view(server)),
      octets(OSSL_KDF_PARAM_SEED, view(client)),
      OSSL_PARAM_construct_end(),
  };
  const bool derived = derive(OSSL_KDF_NAME_TLS1_PRF, parameters.data(), used);
  OPENSSL_cleanse(master.data(), master.size());
  std::optional<io::TlsSendingKey> made;
  if (derived) {
    const std::size_t side = SSL_is_server(connection) != 0 ? 1 : 0;
    made.emplace(io::TlsSendingKey{.version = io::TlsVersion::Tls12, .cipher = form->cipher});
    std::memcpy(made->key.data(), used.data() + side * form->key_bytes, form->key_bytes);
    std::memcpy(made->iv.data(), used.data() + 2 * form->key_bytes + side * iv_bytes, iv_bytes);
  }
  OPENSSL_cleanse(block.data(), block.size());
  return made;
}

}  // namespace ballast::tls

#include "wire/tls/owned.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace ballast::tls {

void Free::operator()(evp_cipher_st* cipher) const noexcept {
  EVP_CIPHER_free(cipher);
}
void Free::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}
void Free::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}
void Free::operator()(ssl_session_st* session) const noexcept {
  SSL_SESSION_free(session);
}
void Free::operator()(ssl_st* connection) const noexcept {
  SSL_free(connection);
}
void Free::operator()(x509_st* certificate) const noexcept {
  X509_free(certificate);
}
void Free::operator()(x509_store_st* store) const noexcept {
  X509_STORE_free(store);
}

std::string last_failure() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason != nullptr ? reason : "";
  ERR_clear_error();
  return text;
}

}  // namespace ballast::tls

#include "wire/tls/context_parts.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "wire/tls/pem.h"

namespace ballast::tls {

void set_common_modes(ssl_ctx_st* context) {
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // One call to the kernel brings a record's head and body, not two.
  SSL_CTX_set_read_ahead(context, 1);
}

Result<> use_certificate(ssl_ctx_st* context, Bytes cert_pem, Bytes key_pem) {
  bool is_first = true;
  for (const PemBlock& block : pem_blocks(cert_pem)) {
    if (block.label != "CERTIFICATE" && block.label != "TRUSTED CERTIFICATE") continue;
    BIO* text = BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size()));
    X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    BIO_free(text);
    if (certificate == nullptr) return fail(Code::Invalid, "a certificate cannot be read: " + last_failure());
    const long taken =
        is_first ? SSL_CTX_use_certificate(context, certificate) : SSL_CTX_add1_chain_cert(context, certificate);
    X509_free(certificate);
    if (taken != 1) return fail(Code::Invalid, "the certificate cannot be used: " + last_failure());
    is_first = false;
  }
  BIO* text = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  const Owned<evp_pkey_st> key(
      PEM_read_bio_PrivateKey(text, nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  BIO_free(text);
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(Code::Invalid, "the private key cannot be used: " + last_failure());
  }
  return {};
}

std::string wire_protocols(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) continue;
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

}  // namespace ballast::tls

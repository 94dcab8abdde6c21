#include "wire/tls/client_context.h"

#include <openssl/ssl.h>

#include "io/file.h"
#include "wire/tls/authorities.h"
#include "wire/tls/certificate.h"
#include "wire/tls/context_parts.h"
#include "wire/tls/profile.h"
#include "wire/tls/stream.h"

namespace ballast::tls {

Result<std::shared_ptr<x509_store_st>> shared_authorities(const std::string& authorities_pem) {
  auto store = authorities_pem.empty() ? system_authorities() : authority_store(authorities_pem, {});
  if (!store) return fail(std::move(store.error()));
  return std::shared_ptr<x509_store_st>(std::move(*store));
}

Result<std::shared_ptr<const ClientContext>> ClientContext::make(const ClientOptions& options) {
  std::shared_ptr<ClientContext> made(new ClientContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->context_.get();
  if (context == nullptr) return fail(Code::Exhausted, "no memory for a TLS context");
  apply(Profile::Intermediate, context);
  set_common_modes(context);
  if (options.kernel != nullptr && options.kernel->is_on()) {
    made->kernel_ = options.kernel;
    SSL_CTX_set_keylog_callback(context, &Stream::take_secret);
  }
  if (options.verification == Verification::Full) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set1_cert_store(context, options.authorities.get());
  }
  if (!options.cert_pem.empty()) {
    if (Result<> used = use_certificate(context, options.cert_pem, options.key_pem); !used) {
      return fail(std::move(used.error()));
    }
  }
  if (const std::string wire = wire_protocols(options.alpn); !wire.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  }
  // Sessions are handed to the stream, which puts them into its slot; the library keeps none.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &Stream::take_session);
  return made;
}

Result<std::shared_ptr<const ClientContext>> load_client_context(const std::string& ca_file) {
  std::string authorities_pem;
  if (!ca_file.empty()) {
    Result<std::string> read = io::read_file(ca_file, pem_bytes_max);
    if (!read) return fail(std::move(read.error()));
    if (auto good = check_authorities(ca_file, *read); !good) return fail(std::move(good.error()));
    authorities_pem = std::move(*read);
  }
  auto authorities = shared_authorities(authorities_pem);
  if (!authorities) return fail(std::move(authorities.error()));
  return ClientContext::make({.authorities = std::move(*authorities), .alpn = {"http/1.1"}});
}

}  // namespace ballast::tls

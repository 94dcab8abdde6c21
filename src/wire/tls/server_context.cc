#include "wire/tls/server_context.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "wire/tls/authorities.h"
#include "wire/tls/context_parts.h"
#include "wire/tls/stream.h"

namespace ballast::tls {
namespace {

NameTable names_of(const ServerOptions& options) {
  std::vector<NameTable::Entry> entries;
  for (const auto& certificate : options.certificates) entries.push_back({certificate->names, certificate->key_kind});
  return NameTable(entries);
}

// A session is for the listener that made it, and for the authorities that vouched for its client.
void set_session_identity(ssl_ctx_st* context, const ServerOptions& options) {
  std::string all;
  for (const std::string* part : {&options.identity, &options.authorities_pem, &options.revocations_pem}) {
    fmt::format_to(std::back_inserter(all), "{}:{}", part->size(), *part);
  }
  all += static_cast<char>('0' + static_cast<int>(options.clients));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_Digest(all.data(), all.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  CHECK(SSL_CTX_set_session_id_context(context, digest, std::min(size, 32U)) == 1);
}

}  // namespace

// What the library calls during a handshake, on the worker's thread. The stream that runs it holds the context.
struct ServerContext::Callbacks {
  static ServerContext& of(void* argument) { return *static_cast<ServerContext*>(argument); }

  static int choose_name(SSL* connection, int* alert, void* argument) {
    const ServerContext& self = of(argument);
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    const auto bundle = name != nullptr ? self.names_.find(name) : std::nullopt;
    if (!bundle.has_value()) {
      const bool is_to_come = name != nullptr && self.names_to_come_.has_value() && self.names_to_come_->find(name);
      if (!self.strict_sni_ && !is_to_come) return SSL_TLSEXT_ERR_NOACK;
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (*bundle != self.names_.default_bundle()) SSL_set_SSL_CTX(connection, self.contexts_[*bundle].get());
    return SSL_TLSEXT_ERR_OK;
  }

  static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                             unsigned offered_size, void* argument) {
    const std::string& ours = of(argument).alpn_;
    unsigned char* found = nullptr;
    const int outcome = SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                              static_cast<unsigned>(ours.size()), offered, offered_size);
    if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  static int staple(SSL* connection, void* argument) {
    const ServerContext& self = of(argument);
    const X509* chosen = SSL_get_certificate(connection);
    for (std::size_t i = 0; i < self.leaves_.size(); ++i) {
      for (std::size_t k = 0; k < self.leaves_[i].size(); ++k) {
        const std::string& answer = self.ocsp_[i][k];
        if (self.leaves_[i][k] != chosen || answer.empty()) continue;
        void* copy = OPENSSL_memdup(answer.data(), answer.size());  // the library frees it
        if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
        SSL_set_tlsext_status_ocsp_resp(connection, copy, static_cast<long>(answer.size()));
        return SSL_TLSEXT_ERR_OK;
      }
    }
    return SSL_TLSEXT_ERR_NOACK;
  }

  static int seal(const TicketKey& key, const ServerContext& self, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, int encrypt) {
    char digest[] = "SHA256";
    auto* mac_key = const_cast<unsigned char*>(key.mac.data());
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string("key", mac_key, key.mac.size()),
                                     OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
    return EVP_CipherInit_ex2(cipher, self.ticket_cipher_.get(), key.cipher.data(), iv, encrypt, nullptr) == 1 ? 1 : -1;
  }

  static int ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int encrypt) {
    // The context is the one the handshake began with.
    const ServerContext& self = of(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
    const TicketKeys& keys = self.ticket_keys_->get();
    if (keys.empty()) return 0;
    if (encrypt != 0) {
      const TicketKey& key = keys.front();
      std::memcpy(name, key.name.data(), key.name.size());
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(self.ticket_cipher_.get())) != 1) return -1;
      return seal(key, self, iv, cipher, mac, 1);
    }
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const TicketKey& key) {
      return std::memcmp(key.name.data(), name, key.name.size()) == 0;
    });
    if (found == keys.end()) return 0;
    if (seal(*found, self, iv, cipher, mac, 0) != 1) return -1;
    // 2: send a new one. Clients of TLS 1.3 use a ticket once (RFC 8446 C.4).
    return found != keys.begin() || SSL_version(connection) >= TLS1_3_VERSION ? 2 : 1;
  }
};

ServerContext::ServerContext(const ServerOptions& options)
    : names_(names_of(options)),
      strict_sni_(options.strict_sni),
      alpn_(wire_protocols(options.alpn)),
      ticket_keys_(options.ticket_keys),
      kernel_(options.kernel != nullptr && options.kernel->is_on() ? options.kernel : nullptr),
      ticket_cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {
  if (!options.names_to_come.empty()) names_to_come_.emplace(std::vector{NameTable::Entry{options.names_to_come, ""}});
}

Result<std::shared_ptr<const ServerContext>> ServerContext::make(const ServerOptions& options) {
  std::shared_ptr<ServerContext> made(new ServerContext(options));
  Owned<x509_store_st> authorities;
  if (options.clients != ClientAuthentication::Off) {
    auto store = authority_store(options.authorities_pem, options.revocations_pem);
    if (!store) return fail(std::move(store.error()));
    authorities = std::move(*store);
  }
  for (const NameTable::Bundle& bundle : made->names_.bundles()) {
    if (Result<> added = made->add_context(options, bundle, authorities.get()); !added) {
      return fail(std::move(added.error()));
    }
  }
  return made;
}

Result<> ServerContext::add_context(const ServerOptions& options, const NameTable::Bundle& bundle,
                                    x509_store_st* authorities) {
  contexts_.emplace_back(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = contexts_.back().get();
  if (context == nullptr) return fail(Code::Exhausted, "no memory for a TLS context");
  apply(options.profile, context);
  set_common_modes(context);
  if (kernel_ != nullptr) SSL_CTX_set_keylog_callback(context, &Stream::take_secret);
  SSL_CTX_set_app_data(context, this);

  std::vector<std::string>& answers = ocsp_.emplace_back();
  std::vector<x509_st*>& leaves = leaves_.emplace_back();
  bool staples = false;
  for (const std::uint32_t index : bundle) {
    const Certificate& certificate = *options.certificates[index];
    if (Result<> used = use_certificate(context, certificate.cert_pem, certificate.key_pem); !used) {
      return fail(std::move(used.error()).within(certificate.files.cert));
    }
    leaves.push_back(SSL_CTX_get0_certificate(context));
    answers.push_back(certificate.ocsp_der);
    staples = staples || !certificate.ocsp_der.empty();
  }
  if (staples) {
    SSL_CTX_set_tlsext_status_cb(context, &Callbacks::staple);
    SSL_CTX_set_tlsext_status_arg(context, this);
  }
  SSL_CTX_set_tlsext_servername_callback(context, &Callbacks::choose_name);
  SSL_CTX_set_tlsext_servername_arg(context, this);
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, &Callbacks::choose_protocol, this);

  // Tickets carry all that a session is: nothing is kept here.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, static_cast<long>(std::chrono::seconds(ticket_lifetime).count()));
  set_session_identity(context, options);
  if (ticket_keys_ != nullptr) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &Callbacks::ticket_key);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }

  if (authorities != nullptr) {
    const int required = options.clients == ClientAuthentication::Required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
    SSL_CTX_set1_cert_store(context, authorities);
    SSL_CTX_set_client_CA_list(context, authority_names(options.authorities_pem));
  }
  ERR_clear_error();
  return {};
}

}  // namespace ballast::tls

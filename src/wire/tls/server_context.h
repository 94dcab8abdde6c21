// ServerContext: what a listener's handshakes are made with: certificates by name, versions and ciphers, session
// tickets, the authorities of clients.
//
// One for each worker: OpenSSL 3.0 takes locks inside a context, and workers share nothing. Immutable after make(); a
// change of certificates is a new one, and connections keep the one they began with. Made on the control thread, used
// by its worker alone. Sessions of one listener mean nothing at another (`identity`), nor after its authorities have
// changed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/kernel_tls.h"
#include "wire/tls/certificate.h"
#include "wire/tls/name_table.h"
#include "wire/tls/owned.h"
#include "wire/tls/profile.h"
#include "wire/tls/ticket_keys.h"

namespace ballast::tls {

enum class ClientAuthentication : std::uint8_t { Off, Optional, Required };

struct ServerOptions {
  std::string identity;                                          // of the listener
  std::vector<std::shared_ptr<const Certificate>> certificates;  // never empty; the first is the default
  Profile profile = Profile::Intermediate;
  std::vector<std::string> alpn;                // in our order; empty: the client's offer is not answered
  std::vector<std::string> names_to_come = {};  // lower case; refused as unknown while no certificate has them
  bool strict_sni = false;                      // refuse a client whose name no certificate has, or that names none
  ClientAuthentication clients = ClientAuthentication::Off;
  std::string authorities_pem;                       // of clients
  std::string revocations_pem;                       // of the clients' own certificates; empty: none
  std::shared_ptr<const TicketKeyRing> ticket_keys;  // nullptr: sessions are not resumed
  std::shared_ptr<io::KernelTls> kernel = nullptr;   // nullptr, or not on: this process encrypts everything
};

class ServerContext {
 public:
  static Result<std::shared_ptr<const ServerContext>> make(const ServerOptions& options);
  ServerContext(const ServerContext&) = delete;

  // nullptr: this process encrypts everything.
  const std::shared_ptr<io::KernelTls>& kernel() const { return kernel_; }
  ssl_ctx_st* get() const { return contexts_.front().get(); }

 private:
  struct Callbacks;
  explicit ServerContext(const ServerOptions& options);
  Result<> add_context(const ServerOptions& options, const NameTable::Bundle& bundle, x509_store_st* authorities);

  NameTable names_;
  std::optional<NameTable> names_to_come_;
  bool strict_sni_;
  std::string alpn_;  // as on the wire
  std::shared_ptr<const TicketKeyRing> ticket_keys_;
  std::shared_ptr<io::KernelTls> kernel_;
  Owned<evp_cipher_st> ticket_cipher_;
  std::vector<Owned<ssl_ctx_st>> contexts_;     // by bundle
  std::vector<std::vector<std::string>> ocsp_;  // by bundle, then as in the bundle
  std::vector<std::vector<x509_st*>> leaves_;   // the same; the contexts hold them
};

}  // namespace ballast::tls

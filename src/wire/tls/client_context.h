// ClientContext: what handshakes with the targets of a group are made with: whom to believe, and our own certificate
// where the targets want one.
//
// One for each worker and one for the checks, as on the server's side; immutable after make(), used by one thread.
// TLS 1.2 and 1.3. A session of a target is kept in a SessionSlot, and the next connection to it goes on from there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/kernel_tls.h"
#include "wire/tls/owned.h"

namespace ballast::tls {

enum class Verification : std::uint8_t { Full, None };

// Whom to believe; shared by the contexts of a group. Empty text: whom the system believes.
Result<std::shared_ptr<x509_store_st>> shared_authorities(const std::string& authorities_pem);

struct ClientOptions {
  Verification verification = Verification::Full;  // the chain, the times and the name
  std::shared_ptr<x509_store_st> authorities;      // with Verification::Full
  std::string cert_pem;                            // our own; empty: none
  std::string key_pem;
  std::vector<std::string> alpn;
  std::shared_ptr<io::KernelTls> kernel = nullptr;  // nullptr, or not on: this process encrypts everything
};

class ClientContext {
 public:
  static Result<std::shared_ptr<const ClientContext>> make(const ClientOptions& options);
  ClientContext(const ClientContext&) = delete;

  // nullptr: this process encrypts everything.
  const std::shared_ptr<io::KernelTls>& kernel() const { return kernel_; }
  ssl_ctx_st* get() const { return context_.get(); }

 private:
  ClientContext() = default;
  Owned<ssl_ctx_st> context_;
  std::shared_ptr<io::KernelTls> kernel_;
};

// For what this program fetches itself, everything verified: by the authorities in `ca_file`, or, where that is empty,
// by those the system trusts. Blocks while it reads.
Result<std::shared_ptr<const ClientContext>> load_client_context(const std::string& ca_file);

// The last session of one target, kept by one worker. It is good for the context and the name it was made with: what
// was verified then is not verified again.
struct SessionSlot {
  Owned<ssl_session_st> session;
  std::shared_ptr<const void> context;
  std::string name;
};

}  // namespace ballast::tls

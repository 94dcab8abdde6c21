// Owned<T>: OpenSSL's objects under our own ownership, without its headers.
#pragma once

#include <memory>
#include <string>

struct bio_method_st;
struct evp_cipher_st;
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;
struct x509_st;
struct x509_store_st;

namespace ballast::tls {

struct Free {
  void operator()(evp_cipher_st* cipher) const noexcept;
  void operator()(evp_pkey_st* key) const noexcept;
  void operator()(ssl_ctx_st* context) const noexcept;
  void operator()(ssl_session_st* session) const noexcept;
  void operator()(ssl_st* connection) const noexcept;
  void operator()(x509_st* certificate) const noexcept;
  void operator()(x509_store_st* store) const noexcept;
};

template <typename T>
using Owned = std::unique_ptr<T, Free>;

// What the library says of the last failure on this thread, in its words, and then forgets; "" where it says nothing.
std::string last_failure();

}  // namespace ballast::tls

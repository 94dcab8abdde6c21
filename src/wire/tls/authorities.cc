#include "wire/tls/authorities.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "wire/tls/pem.h"

namespace ballast::tls {
namespace {

// Calls `take` with each block read by `read`.
template <typename Read, typename Take>
void each_block(Bytes pem, Read read, Take take) {
  for (const PemBlock& block : pem_blocks(pem)) {
    BIO* text = BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size()));
    if (auto* one = read(text); one != nullptr) take(one);
    BIO_free(text);
  }
  last_failure();
}

X509* read_authority(BIO* text) {
  return PEM_read_bio_X509_AUX(text, nullptr, nullptr, nullptr);
}

}  // namespace

Result<Owned<x509_store_st>> authority_store(Bytes authorities_pem, Bytes revocations_pem) {
  Owned<x509_store_st> store(X509_STORE_new());
  if (store == nullptr) return fail(Code::Exhausted, "no memory for certificates of authorities");
  each_block(authorities_pem, read_authority, [&](X509* authority) {
    X509_STORE_add_cert(store.get(), authority);
    X509_free(authority);
  });
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (!revocations_pem.empty()) {
    each_block(
        revocations_pem, [](BIO* text) { return PEM_read_bio_X509_CRL(text, nullptr, nullptr, nullptr); },
        [&](X509_CRL* list) {
          X509_STORE_add_crl(store.get(), list);
          X509_CRL_free(list);
        });
    flags |= X509_V_FLAG_CRL_CHECK;
  }
  X509_STORE_set_flags(store.get(), flags);
  return store;
}

Result<Owned<x509_store_st>> system_authorities() {
  Owned<x509_store_st> store(X509_STORE_new());
  if (store == nullptr) return fail(Code::Exhausted, "no memory for certificates of authorities");
  if (X509_STORE_set_default_paths(store.get()) != 1) {
    return fail(Code::NotFound,
                "the system's certificates of authorities cannot be read (package ca-certificates): " + last_failure());
  }
  return store;
}

stack_st_X509_NAME* authority_names(Bytes authorities_pem) {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  each_block(authorities_pem, read_authority, [&](X509* authority) {
    X509_NAME* name = X509_NAME_dup(X509_get_subject_name(authority));
    if (name != nullptr && sk_X509_NAME_push(names, name) == 0) X509_NAME_free(name);
    X509_free(authority);
  });
  return names;
}

}  // namespace ballast::tls

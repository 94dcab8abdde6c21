// For tests: an authority that makes certificates in memory, so that none is committed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "wire/tls/certificate.h"
#include "wire/tls/owned.h"

namespace ballast::tls {

struct Made {
  std::string cert;
  std::string key;
};

struct Wanted {
  std::string subject = "site";
  std::vector<std::string> names;  // "DNS:www.example.com"
  bool rsa = false;
  bool is_authority = false;
  int from_days = -1;
  int until_days = 30;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& subject = "Test Authority") {
    const Wanted wanted{.subject = subject, .is_authority = true};
    key_ = new_key(false);
    certificate_ = sign(wanted, key_.get(), nullptr);
  }
  // Below another one.
  TestAuthority(const TestAuthority& above, const std::string& subject) {
    key_ = new_key(false);
    certificate_ = sign({.subject = subject, .is_authority = true}, key_.get(), &above);
  }

  std::string pem() const { return text_of(certificate_.get()); }
  Made make(const Wanted& wanted) const {
    const Owned<evp_pkey_st> key = new_key(wanted.rsa);
    const Owned<x509_st> certificate = sign(wanted, key.get(), this);
    return {text_of(certificate.get()), text_of(key.get())};
  }
  // A list with the given certificate in it.
  std::string revoke(const std::string& cert_pem) const {
    BIO* in = BIO_new_mem_buf(cert_pem.data(), static_cast<int>(cert_pem.size()));
    const Owned<x509_st> certificate(PEM_read_bio_X509(in, nullptr, nullptr, nullptr));
    BIO_free(in);
    X509_CRL* list = X509_CRL_new();
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_.get()));
    ASN1_TIME* time = ASN1_TIME_new();
    X509_gmtime_adj(time, -3600);
    X509_CRL_set1_lastUpdate(list, time);
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.get()));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list, entry);
    X509_gmtime_adj(time, 86400);
    X509_CRL_set1_nextUpdate(list, time);
    ASN1_TIME_free(time);
    X509_CRL_sign(list, key_.get(), EVP_sha256());
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_CRL(out, list);
    X509_CRL_free(list);
    return take(out);
  }

  static std::string encrypted(const std::string& key_pem) {
    BIO* in = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
    const Owned<evp_pkey_st> key(PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr));
    BIO_free(in);
    BIO* out = BIO_new(BIO_s_mem());
    char word[] = "secret";
    PEM_write_bio_PKCS8PrivateKey(out, key.get(), EVP_aes_128_cbc(), word, 6, nullptr, nullptr);
    return take(out);
  }

 private:
  static std::string take(BIO* out) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return text;
  }
  static std::string text_of(X509* certificate) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    return take(out);
  }
  static std::string text_of(EVP_PKEY* key) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    return take(out);
  }
  static Owned<evp_pkey_st> new_key(bool rsa) {
    return Owned<evp_pkey_st>(rsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                                  : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  }
  static void extend(X509* certificate, const X509* issuer, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    if (extension == nullptr) {
      ADD_FAILURE() << "extension " << value;
      return;
    }
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static Owned<x509_st> sign(const Wanted& wanted, EVP_PKEY* key, const TestAuthority* issuer) {
    static std::int64_t serial = 1000;
    Owned<x509_st> certificate(X509_new());
    X509* x = certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set_int64(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), 86400L * wanted.from_days);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400L * wanted.until_days);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wanted.subject.c_str()), -1, -1, 0);
    const X509* issuer_certificate = issuer != nullptr ? issuer->certificate_.get() : x;
    X509_set_issuer_name(x, X509_get_subject_name(issuer_certificate));
    X509_set_pubkey(x, key);
    extend(x, issuer_certificate, NID_basic_constraints, wanted.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    std::string names;
    for (const std::string& name : wanted.names) names += (names.empty() ? "" : ",") + name;
    if (!names.empty()) extend(x, issuer_certificate, NID_subject_alt_name, names);
    X509_sign(x, issuer != nullptr ? issuer->key_.get() : key, EVP_sha256());
    return certificate;
  }

  Owned<evp_pkey_st> key_;
  Owned<x509_st> certificate_;
};

// Checked, as a context takes it.
inline std::shared_ptr<const Certificate> certificate_of(const Made& made) {
  auto checked =
      check_certificate({.files = {.cert = "site.crt", .key = "site.key"}, .cert_pem = made.cert, .key_pem = made.key},
                        std::chrono::system_clock::now());
  if (!checked) ADD_FAILURE() << checked.error().text();
  return std::make_shared<const Certificate>(std::move(*checked));
}

}  // namespace ballast::tls

#include "wire/acme/signing_request.h"

#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "wire/acme/account_key.h"
#include "wire/tls/owned.h"

namespace ballast::acme {
namespace {

template <auto function>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    function(object);
  }
};
using Names = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;
using Request = std::unique_ptr<X509_REQ, FreeBy<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, FreeBy<ASN1_OCTET_STRING_free>>;
using Object = std::unique_ptr<ASN1_OBJECT, FreeBy<ASN1_OBJECT_free>>;

std::unexpected<Error> failed(const char* what) {
  return fail(Code::System, std::string(what) + " cannot be made: " + tls::last_failure());
}

tls::Owned<evp_pkey_st> new_key(KeyKind kind) {
  return tls::Owned<evp_pkey_st>(kind == KeyKind::Rsa2048
                                     ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                                     : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

template <typename Write>
std::string written(Write write) {
  BIO* out = BIO_new(BIO_s_mem());
  write(out);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

std::string pem_of(EVP_PKEY* key) {
  return written([&](BIO* out) { PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

// Not by the library's configuration texts, in which a comma in a name would begin another one.
Extension names_extension(const std::vector<std::string>& names) {
  const Names all(GENERAL_NAMES_new());
  for (const std::string& name : names) {
    GENERAL_NAME* entry = GENERAL_NAME_new();
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    sk_GENERAL_NAME_push(all.get(), entry);
  }
  return Extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, all.get()));
}

// RFC 8737 3: id-pe-acmeIdentifier, critical, an octet string with the digest.
Extension identifier_extension(const std::string& key_authorization) {
  const std::string digest = sha256(key_authorization);
  std::string inner{'\x04', static_cast<char>(digest.size())};
  inner += digest;
  const Octets octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(inner.data()),
                        static_cast<int>(inner.size()));
  const Object object(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  return Extension(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 1, octets.get()));
}

}  // namespace

Result<SigningRequest> make_signing_request(const std::vector<std::string>& names, KeyKind kind) {
  const tls::Owned<evp_pkey_st> key = new_key(kind);
  const Request request(X509_REQ_new());
  if (key == nullptr || request == nullptr) return failed("a key for the certificate");
  X509_REQ_set_version(request.get(), 0);
  X509_REQ_set_pubkey(request.get(), key.get());
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, names_extension(names).release());
  const bool added = X509_REQ_add_extensions(request.get(), extensions) == 1;
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  if (!added || X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) return failed("the signing request");
  return SigningRequest{.key_pem = pem_of(key.get()),
                        .der = written([&](BIO* out) { i2d_X509_REQ_bio(out, request.get()); })};
}

Result<ChallengeCertificate> make_challenge_certificate(const std::string& name, const std::string& key_authorization) {
  const tls::Owned<evp_pkey_st> key = new_key(KeyKind::EcdsaP256);
  const tls::Owned<x509_st> certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return failed("a key for the challenge");
  X509* x = certificate.get();
  X509_set_version(x, 2);
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) != 1) return failed("a serial number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial | 1U);
  constexpr long day_s = 86400;
  X509_gmtime_adj(X509_getm_notBefore(x), -day_s);
  X509_gmtime_adj(X509_getm_notAfter(x), 7 * day_s);
  constexpr unsigned char subject[] = "ACME challenge";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, subject, -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  X509_set_pubkey(x, key.get());
  const Extension names = names_extension({name});
  const Extension identifier = identifier_extension(key_authorization);
  if (X509_add_ext(x, names.get(), -1) != 1 || X509_add_ext(x, identifier.get(), -1) != 1 ||
      X509_sign(x, key.get(), EVP_sha256()) == 0) {
    return failed("the certificate for the challenge");
  }
  return ChallengeCertificate{.cert_pem = written([&](BIO* out) { PEM_write_bio_X509(out, x); }),
                              .key_pem = pem_of(key.get())};
}

}  // namespace ballast::acme

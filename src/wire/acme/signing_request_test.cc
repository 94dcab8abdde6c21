// What is made for a certificate, read back by OpenSSL.
#include "wire/acme/signing_request.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "wire/acme/account_key.h"
#include "wire/tls/certificate.h"

namespace ballast::acme {
namespace {

using testing::ElementsAre;

std::vector<std::string> names_in(GENERAL_NAMES* all) {
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
    EXPECT_EQ(name->type, GEN_DNS);
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(all);
  return names;
}

TEST(SigningRequest, HasTheNamesAndItsOwnKey) {
  for (const KeyKind kind : {KeyKind::EcdsaP256, KeyKind::Rsa2048}) {
    const auto made = make_signing_request({"a.example", "b.example,DNS:evil.example"}, kind);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    const auto* at = reinterpret_cast<const unsigned char*>(made->der.data());
    X509_REQ* request = d2i_X509_REQ(nullptr, &at, static_cast<long>(made->der.size()));
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    EXPECT_EQ(EVP_PKEY_is_a(X509_REQ_get0_pubkey(request), kind == KeyKind::Rsa2048 ? "RSA" : "EC"), 1);
    EXPECT_EQ(EVP_PKEY_get_bits(X509_REQ_get0_pubkey(request)), kind == KeyKind::Rsa2048 ? 2048 : 256);
    EXPECT_EQ(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 0);
    STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
    auto* all = static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
    // A comma in a name is part of it.
    EXPECT_THAT(names_in(all), ElementsAre("a.example", "b.example,DNS:evil.example"));
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(request);
    EXPECT_THAT(made->key_pem, testing::StartsWith("-----BEGIN PRIVATE KEY-----"));
  }
}

TEST(ChallengeCertificate, IsAsRfc8737WantsIt) {
  const auto made = make_challenge_certificate("a.example", "token.thumbprint");
  ASSERT_TRUE(made.has_value()) << made.error().text();
  BIO* in = BIO_new_mem_buf(made->cert_pem.data(), static_cast<int>(made->cert_pem.size()));
  X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  ASSERT_NE(certificate, nullptr);
  EXPECT_THAT(
      names_in(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))),
      ElementsAre("a.example"));
  ASN1_OBJECT* identifier = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
  const int place = X509_get_ext_by_OBJ(certificate, identifier, -1);
  ASN1_OBJECT_free(identifier);
  ASSERT_GE(place, 0);
  X509_EXTENSION* extension = X509_get_ext(certificate, place);
  EXPECT_EQ(X509_EXTENSION_get_critical(extension), 1);
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
  const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
  EXPECT_EQ(bytes, std::string("\x04\x20") + sha256("token.thumbprint"));
  X509_free(certificate);
  // And a context takes it.
  EXPECT_TRUE(
      tls::check_certificate(
          {.files = {.cert = "c", .key = "k", .ocsp = {}}, .cert_pem = made->cert_pem, .key_pem = made->key_pem},
          std::chrono::system_clock::now())
          .has_value());
}

}  // namespace
}  // namespace ballast::acme

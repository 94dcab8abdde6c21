#include "wire/tls/certificate.h"

#include <gmock/gmock.h>

#include "wire/tls/pem.h"
#include "wire/tls/test_authority.h"

namespace ballast::tls {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

WallTime now() {
  return std::chrono::system_clock::now();
}

Result<Certificate> check(const std::string& cert, const std::string& key, const std::string& ocsp = "") {
  return check_certificate({.files = {.cert = "site.crt", .key = "site.key", .ocsp = ocsp.empty() ? "" : "site.ocsp"},
                            .cert_pem = cert,
                            .key_pem = key,
                            .ocsp_der = ocsp},
                           now());
}

std::string error_of(const std::string& cert, const std::string& key, const std::string& ocsp = "") {
  const Result<Certificate> checked = check(cert, key, ocsp);
  return checked ? "" : checked.error().text();
}

TEST(Certificate, TellsItsNamesAndTimes) {
  const TestAuthority authority;
  const Made made =
      authority.make({.subject = "site", .names = {"DNS:WWW.Example.com", "DNS:*.example.org", "IP:10.0.0.1"}});
  const Result<Certificate> checked = check(made.cert + authority.pem(), made.key);
  ASSERT_TRUE(checked.has_value()) << checked.error().text();
  EXPECT_THAT(checked->names, ElementsAre("www.example.com", "*.example.org"));
  EXPECT_EQ(checked->subject, "CN=site");
  EXPECT_EQ(checked->key_kind, "EC");
  EXPECT_THAT(checked->warnings, IsEmpty());
  const auto left = std::chrono::duration_cast<std::chrono::hours>(checked->not_after - now());
  EXPECT_NEAR(static_cast<double>(left.count()), 30 * 24, 1);
}

TEST(Certificate, SaysWhatIsWrong) {
  const TestAuthority root("Root");
  const TestAuthority middle(root, "Middle");
  const Made site = middle.make({.subject = "site", .names = {"DNS:a.example"}});
  const Made other = middle.make({.subject = "other", .names = {"DNS:b.example"}});
  const Made authority_made = root.make({.subject = "site2", .names = {"DNS:c.example"}});
  const std::string cut = site.cert.substr(0, site.cert.size() / 2);
  std::string broken = site.cert;
  broken.replace(100, 4, "!!!!");

  EXPECT_EQ(error_of("hello", site.key),
            "site.crt: it has no certificate: PEM is wanted, with a line -----BEGIN CERTIFICATE-----");
  EXPECT_EQ(error_of(cut, site.key), "site.crt:1: certificate 1 of the chain has no end: the file is cut off");
  EXPECT_THAT(error_of("# a comment\n\n" + broken, site.key),
              MatchesRegex("site.crt:3: certificate 1 of the chain cannot be read: .+"));
  EXPECT_THAT(error_of(site.cert + "\n" + cut, site.key), MatchesRegex("site.crt:[0-9]+: certificate 2 of .*no end.*"));
  EXPECT_EQ(error_of(site.cert, site.cert),
            "site.key: it has no private key: PEM is wanted, with a line such as -----BEGIN PRIVATE KEY-----");
  EXPECT_EQ(error_of(site.cert, other.key),
            "site.key: the key does not belong to the certificate in site.crt (CN=site)");
  EXPECT_EQ(error_of(site.cert, TestAuthority::encrypted(site.key)),
            "site.key: the key has a passphrase and nobody to ask for it; write it without one: openssl pkey -in "
            "site.key -out NEW.key");
  EXPECT_THAT(error_of(middle.pem() + site.cert, site.key),
              MatchesRegex("site.crt:[0-9]+: the chain is out of order: the key in site.key belongs to certificate 2 "
                           "\\(CN=site\\), which must come first"));
  EXPECT_THAT(error_of(site.cert + root.pem() + middle.pem(), site.key),
              HasSubstr("the chain is out of order: certificate 3 (CN=Middle) issued certificate 1"));
  EXPECT_EQ(error_of(site.cert + middle.pem() + root.pem(), site.key), "");
  EXPECT_THAT(error_of(site.cert, site.key, "no DER"), HasSubstr("site.ocsp: it is not an OCSP answer in DER"));
}

TEST(Certificate, WarnsOfWhatClientsDislike) {
  const TestAuthority authority;
  const auto warnings = [&](const Wanted& wanted) {
    const Made made = authority.make(wanted);
    const Result<Certificate> checked = check(made.cert, made.key);
    EXPECT_TRUE(checked.has_value());
    return checked->warnings;
  };
  EXPECT_THAT(warnings({.names = {"DNS:a"}, .from_days = -9, .until_days = -2}),
              ElementsAre(MatchesRegex("site.crt:1: certificate 1 of the chain \\(CN=site\\) expired on 20.* UTC: "
                                       "clients refuse it")));
  EXPECT_THAT(warnings({.names = {"DNS:a"}, .from_days = 2}), ElementsAre(HasSubstr("is not valid before")));
  EXPECT_THAT(warnings({}), ElementsAre(HasSubstr("has no subjectAltName")));
  const TestAuthority stranger("Stranger");
  const Made made = authority.make({.names = {"DNS:a"}});
  const Result<Certificate> checked = check(made.cert + stranger.pem(), made.key);
  ASSERT_TRUE(checked.has_value());
  EXPECT_THAT(checked->warnings, ElementsAre(HasSubstr("did not issue the one before it")));
}

TEST(Certificate, FilesThatCannotBeReadAreNamed) {
  const auto missing = load_certificate({.cert = "/nowhere/site.crt", .key = "/nowhere/site.key"}, now());
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().text(), HasSubstr("/nowhere/site.crt"));
}

// Hostile or half-written files: no place of a cut may do more than fail.
TEST(Certificate, CutAtEveryPlaceFailsOrWarns) {
  const TestAuthority authority;
  const Made made = authority.make({.names = {"DNS:a.example"}});
  const std::string chain = made.cert + authority.pem();
  int failures = 0;
  for (std::size_t size = 0; size < chain.size(); size += 7) {
    if (!check(chain.substr(0, size), made.key)) ++failures;
  }
  EXPECT_GT(failures, 100);
  for (std::size_t size = 0; size + 30 < made.key.size(); size += 7) {
    EXPECT_FALSE(check(made.cert, made.key.substr(0, size)).has_value()) << size;
  }
}

TEST(Authorities, AreCounted) {
  const TestAuthority a("A");
  const TestAuthority b("B");
  EXPECT_EQ(check_authorities("ca.pem", a.pem() + b.pem()).value(), 2U);
  EXPECT_THAT(check_authorities("ca.pem", "").error().text(), HasSubstr("ca.pem: it has no certificate"));
  EXPECT_THAT(check_revocations("crl.pem", a.pem()).error().text(), HasSubstr("crl.pem: it has no revocation list"));
  EXPECT_EQ(check_revocations("crl.pem", a.revoke(a.make({}).cert)).value(), 1U);
}

TEST(Pem, TellsTheLines) {
  const auto blocks = pem_blocks("x\n-----BEGIN A-----\nq\n-----END A-----\n\n-----BEGIN B-----\n-----BEGIN C-----\n");
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].label, "A");
  EXPECT_EQ(blocks[0].line, 2);
  EXPECT_TRUE(blocks[0].is_closed);
  EXPECT_EQ(blocks[1].line, 6);
  EXPECT_FALSE(blocks[1].is_closed);
  EXPECT_EQ(blocks[2].line, 7);
}

// RFC 5280 4.1.2.5: a certificate that has no end says so with the last second of the year 9999.
TEST(Certificate, OneWithoutAnEndHasNotExpired) {
  const TestAuthority authority;
  const auto certificate = certificate_of(authority.make({.names = {"DNS:a.example"}, .until_days = 2'900'000}));
  EXPECT_TRUE(certificate->warnings.empty()) << certificate->warnings.front();
  EXPECT_GT(certificate->not_after, std::chrono::system_clock::now() + std::chrono::days(200 * 365));
}

}  // namespace
}  // namespace ballast::tls

#include "wire/tls/certificate.h"

#include <algorithm>
#include <ctime>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "io/file.h"
#include "wire/tls/distinguished_name.h"
#include "wire/tls/owned.h"
#include "wire/tls/pem.h"

namespace ballast::tls {
namespace {

using Bio = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })>;

Bio reader_of(Bytes text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is asked for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string because(const std::string& failure) {
  return failure.empty() ? "" : ": " + failure;
}

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  // "99991231235959Z" stands for no end (RFC 5280 4.1.2.5); a clock of nanoseconds ends in 2262.
  constexpr std::int64_t farthest_s = 9'000'000'000;
  return WallTime(std::chrono::seconds(std::clamp<std::int64_t>(timegm(&parts), -farthest_s, farthest_s)));
}

std::string date(WallTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

struct Link {
  Owned<x509_st> certificate;
  int line = 0;
};

std::string subject_of(const Link& link) {
  return distinguished_name(X509_get_subject_name(link.certificate.get()));
}
std::string issuer_of(const Link& link) {
  return distinguished_name(X509_get_issuer_name(link.certificate.get()));
}
bool issued(const Link& issuer, const Link& subject) {
  return X509_NAME_cmp(X509_get_subject_name(issuer.certificate.get()),
                       X509_get_issuer_name(subject.certificate.get())) == 0;
}

std::unexpected<Error> wrong(const std::string& file, const std::string& text) {
  return fail(Code::Invalid, fmt::format("{}: {}", file, text));
}
std::unexpected<Error> wrong_at(const std::string& file, int line, const std::string& text) {
  return fail(Code::Invalid, fmt::format("{}:{}: {}", file, line, text));
}

Result<std::vector<Link>> read_chain(const std::string& file, Bytes pem) {
  // A chain of more has no end that a client would follow.
  constexpr std::size_t chain_max = 16;
  std::vector<Link> chain;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.label != "CERTIFICATE" && block.label != "TRUSTED CERTIFICATE") continue;
    const std::size_t number = chain.size() + 1;
    if (number > chain_max) return wrong_at(file, block.line, fmt::format("a chain of more than {}", chain_max));
    if (!block.is_closed) {
      return wrong_at(file, block.line,
                      fmt::format("certificate {} of the chain has no end: the file is cut off", number));
    }
    Link link{.certificate = Owned<x509_st>(PEM_read_bio_X509(reader_of(block.text).get(), nullptr, nullptr, nullptr)),
              .line = block.line};
    if (link.certificate == nullptr) {
      return wrong_at(file, block.line,
                      fmt::format("certificate {} of the chain cannot be read{}", number, because(last_failure())));
    }
    chain.push_back(std::move(link));
  }
  if (chain.empty()) {
    return wrong(file, "it has no certificate: PEM is wanted, with a line -----BEGIN CERTIFICATE-----");
  }
  return chain;
}

Result<Owned<evp_pkey_st>> read_key(const std::string& file, Bytes pem) {
  bool asked = false;
  Owned<evp_pkey_st> key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, no_passphrase, &asked));
  if (key != nullptr) return key;
  const std::string failure = last_failure();
  if (asked) {
    return wrong(file, fmt::format("the key has a passphrase and nobody to ask for it; write it without one: "
                                   "openssl pkey -in {} -out NEW.key",
                                   file));
  }
  if (pem.find("PRIVATE KEY-----") == Bytes::npos) {
    return wrong(file, "it has no private key: PEM is wanted, with a line such as -----BEGIN PRIVATE KEY-----");
  }
  return wrong(file, "the private key cannot be read" + because(failure));
}

Result<> check_order(const std::string& file, const std::vector<Link>& chain, std::vector<std::string>& warnings) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (issued(chain[i + 1], chain[i])) continue;
    for (std::size_t k = i + 2; k < chain.size(); ++k) {
      if (!issued(chain[k], chain[i])) continue;
      return wrong_at(file, chain[k].line,
                      fmt::format("the chain is out of order: certificate {} ({}) issued certificate {} and must stand "
                                  "right behind it; the site's own comes first, then each one's issuer",
                                  k + 1, subject_of(chain[k]), i + 1));
    }
    warnings.push_back(
        fmt::format("{}:{}: certificate {} of the chain ({}) did not issue the one before it, which is "
                    "issued by {}: clients may not find a path",
                    file, chain[i + 1].line, i + 2, subject_of(chain[i + 1]), issuer_of(chain[i])));
    break;
  }
  return {};
}

Result<> check_key(const Certificate& certificate, const std::vector<Link>& chain, EVP_PKEY* key) {
  if (X509_check_private_key(chain.front().certificate.get(), key) == 1) return {};
  last_failure();
  const CertificateFiles& files = certificate.files;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const bool fits = X509_check_private_key(chain[i].certificate.get(), key) == 1;
    last_failure();
    if (!fits) continue;
    return wrong_at(files.cert, chain[i].line,
                    fmt::format("the chain is out of order: the key in {} belongs to certificate {} ({}), which must "
                                "come first",
                                files.key, i + 1, subject_of(chain[i])));
  }
  return wrong(files.key, fmt::format("the key does not belong to the certificate in {} ({})", files.cert,
                                      subject_of(chain.front())));
}

std::string lower(Bytes text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

void take_names(Certificate& certificate, X509* leaf) {
  // One certificate may be for many names; more would be a table, not a certificate.
  constexpr int names_max = 1000;
  auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < std::min(names_max, sk_GENERAL_NAME_num(all)); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* text = name->d.dNSName;
    const Bytes dns(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                    static_cast<std::size_t>(ASN1_STRING_length(text)));
    // A NUL in a name is an old trick on those who read C strings.
    if (!dns.empty() && dns.find('\0') == Bytes::npos) certificate.names.push_back(lower(dns));
  }
  const bool has_other_names = all != nullptr && sk_GENERAL_NAME_num(all) != 0;
  GENERAL_NAMES_free(all);
  if (!certificate.names.empty() || has_other_names) return;
  certificate.warnings.push_back(fmt::format(
      "{}: the certificate ({}) has no subjectAltName: browsers refuse it, and it is chosen only as the default",
      certificate.files.cert, certificate.subject));
}

void check_times(Certificate& certificate, const std::vector<Link>& chain, WallTime now) {
  certificate.not_before = WallTime::min();
  certificate.not_after = WallTime::max();
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const X509* link = chain[i].certificate.get();
    const auto from = wall_time(X509_get0_notBefore(link));
    const auto until = wall_time(X509_get0_notAfter(link));
    if (!from.has_value() || !until.has_value()) continue;
    certificate.not_before = std::max(certificate.not_before, *from);
    certificate.not_after = std::min(certificate.not_after, *until);
    const auto say = [&](std::string_view what, WallTime when) {
      certificate.warnings.push_back(fmt::format("{}:{}: certificate {} of the chain ({}) {} {}: clients refuse it",
                                                 certificate.files.cert, chain[i].line, i + 1, subject_of(chain[i]),
                                                 what, date(when)));
    };
    if (*until <= now) say("expired on", *until);
    if (*from > now) say("is not valid before", *from);
  }
}

Result<> check_ocsp(Certificate& certificate, WallTime now) {
  if (certificate.ocsp_der.empty()) return {};
  const std::string& file = certificate.files.ocsp;
  const auto* bytes = reinterpret_cast<const unsigned char*>(certificate.ocsp_der.data());
  OCSP_RESPONSE* response = d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(certificate.ocsp_der.size()));
  if (response == nullptr) {
    return wrong(file, fmt::format("it is not an OCSP answer in DER{}", because(last_failure())));
  }
  const int status = OCSP_response_status(response);
  OCSP_BASICRESP* basic = status == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(response) : nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  if (basic != nullptr && OCSP_resp_count(basic) > 0) {
    OCSP_single_get0_status(OCSP_resp_get0(basic, 0), nullptr, nullptr, nullptr, &next_update);
  }
  const auto until = next_update != nullptr ? wall_time(next_update) : std::nullopt;
  const bool has_answer = basic != nullptr;
  OCSP_BASICRESP_free(basic);
  OCSP_RESPONSE_free(response);
  if (!has_answer) {
    return wrong(file, fmt::format("the OCSP answer is an error ({}); fetch it again",
                                   OCSP_response_status_str(static_cast<long>(status))));
  }
  if (until.has_value() && *until <= now) {
    certificate.warnings.push_back(
        fmt::format("{}: the OCSP answer was good until {}: it is not stapled; fetch it again", file, date(*until)));
    certificate.ocsp_der.clear();
  }
  return {};
}

}  // namespace

Result<Certificate> load_certificate(const CertificateFiles& files, WallTime now) {
  Certificate certificate{.files = files};
  Result<std::string> cert = io::read_file(files.cert, pem_bytes_max);
  if (!cert) return fail(std::move(cert.error()));
  certificate.cert_pem = std::move(*cert);
  Result<std::string> key = io::read_file(files.key, pem_bytes_max);
  if (!key) return fail(std::move(key.error()));
  certificate.key_pem = std::move(*key);
  if (!files.ocsp.empty()) {
    Result<std::string> ocsp = io::read_file(files.ocsp, pem_bytes_max);
    if (!ocsp) return fail(std::move(ocsp.error()));
    certificate.ocsp_der = std::move(*ocsp);
    if (certificate.ocsp_der.empty()) return wrong(files.ocsp, "it is empty");
  }
  return check_certificate(std::move(certificate), now);
}

Result<Certificate> check_certificate(Certificate certificate, WallTime now) {
  const CertificateFiles& files = certificate.files;
  Result<std::vector<Link>> chain = read_chain(files.cert, certificate.cert_pem);
  if (!chain) return fail(std::move(chain.error()));
  Result<Owned<evp_pkey_st>> key = read_key(files.key, certificate.key_pem);
  if (!key) return fail(std::move(key.error()));
  if (Result<> fits = check_key(certificate, *chain, key->get()); !fits) return fail(std::move(fits.error()));
  if (Result<> ordered = check_order(files.cert, *chain, certificate.warnings); !ordered) {
    return fail(std::move(ordered.error()));
  }
  const char* kind = EVP_PKEY_get0_type_name(key->get());
  certificate.key_kind = kind != nullptr ? kind : "unknown";
  certificate.subject = subject_of(chain->front());
  take_names(certificate, chain->front().certificate.get());
  check_times(certificate, *chain, now);
  if (Result<> stapled = check_ocsp(certificate, now); !stapled) return fail(std::move(stapled.error()));
  return certificate;
}

Result<std::size_t> check_authorities(const std::string& file, Bytes pem) {
  std::size_t count = 0;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.label != "CERTIFICATE" && block.label != "TRUSTED CERTIFICATE") continue;
    ++count;
    const Owned<x509_st> one(PEM_read_bio_X509_AUX(reader_of(block.text).get(), nullptr, nullptr, nullptr));
    if (one == nullptr) {
      return wrong_at(file, block.line, fmt::format("authority {} cannot be read{}", count, because(last_failure())));
    }
  }
  if (count == 0) return wrong(file, "it has no certificate of an authority: PEM is wanted");
  return count;
}

Result<std::size_t> check_revocations(const std::string& file, Bytes pem) {
  std::size_t count = 0;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.label != "X509 CRL") continue;
    ++count;
    X509_CRL* list = PEM_read_bio_X509_CRL(reader_of(block.text).get(), nullptr, nullptr, nullptr);
    if (list == nullptr) {
      return wrong_at(file, block.line,
                      fmt::format("revocation list {} cannot be read{}", count, because(last_failure())));
    }
    X509_CRL_free(list);
  }
  if (count == 0) return wrong(file, "it has no revocation list: PEM is wanted, with a line -----BEGIN X509 CRL-----");
  return count;
}

}  // namespace ballast::tls

// The schema of certificates that are obtained from an authority by ACME (RFC 8555).
#include <algorithm>

#include "base/base64.h"
#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/text_checks.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

// What authorities give certificates for after http-01 or tls-alpn-01.
std::string host_name_defect(std::string_view name) {
  if (name.find('*') != std::string_view::npos) {
    return fmt::format(
        "{} is a wildcard, which needs the challenge dns-01, and that is not offered; name each host, or "
        "have another client obtain it and give its files",
        quote(name));
  }
  const bool digits_alone = std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (name.find(':') != std::string_view::npos || digits_alone) {
    return fmt::format("{} is an address; certificates are obtained for names", quote(name));
  }
  std::string_view rest = name;
  int labels = 0;
  for (bool more = true; more; ++labels) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return fmt::format("{} is not the name of a host", quote(name));
    more = dot != std::string_view::npos;
    if (more) rest.remove_prefix(dot + 1);
  }
  if (labels < 2) return fmt::format("{} has no domain; no authority knows such a name", quote(name));
  return "";
}

void finish_names(CertificateFiles& files, const Node& node, Decoder& decoder) {
  for (std::string& name : files.acme) {
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  }
  for (auto each = files.acme.begin(); each != files.acme.end(); ++each) {
    // Empty: it was an error already.
    if (each->empty() || std::find(files.acme.begin(), each, *each) == each) continue;
    return decoder.error(node.mark_of("acme"), fmt::format("acme: {} stands here twice", quote(*each)));
  }
}

std::string email_defect(std::string_view text) {
  const std::size_t at = text.find('@');
  const bool good = at != std::string_view::npos && at != 0 && at + 1 != text.size() &&
                    text.find('@', at + 1) == std::string_view::npos && std::ranges::all_of(text, [](char c) {
                      return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F && c != ',' &&
                             c != '?' && c != '%';
                    });
  return good ? "" : fmt::format("{} is not an address such as ops@example.com", quote(text));
}

// The key is read here, so that `check` says what is wrong with it.
void finish_external_account(ExternalAccount& account, const Node& node, Decoder& decoder) {
  if (account.hmac_key_file.empty()) return;
  const auto content = decoder.files.read(account.hmac_key_file, 4 * kib);
  if (!content) return decoder.error(node.mark_of("hmac_key_file"), content.error().text());
  std::string text(*content);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  while (text.ends_with('=')) text.pop_back();  // some authorities show it padded
  const auto key = decode_base64url(text);
  if (!key.has_value() || key->size() < 16) {
    return decoder.error(node.mark_of("hmac_key_file"),
                         fmt::format("{}: it does not hold a key in base64url of at least 16 bytes, alone on its line",
                                     quote(account.hmac_key_file)));
  }
  account.hmac_key = *key;
}

Value<ExternalAccount> external_account() {
  return section<ExternalAccount>({
      .name = "external_account",
      .title = "External account",
      .doc = "What an authority that serves only its customers has given you, to be shown with the first request "
             "(external account binding).",
      .properties =
          {
              {.name = "key_id",
               .doc = "The key's identifier.",
               .example = "kid-1",
               .value = field(&ExternalAccount::key_id,
                              text({.words = "text",
                                    .bytes_max = 512,
                                    .check = [](auto value) { return value.empty() ? "it is empty" : ""; }})),
               .required = true},
              {.name = "hmac_key_file",
               .doc = "A file with the key in base64url, as the authority shows it.",
               .example = "acme-hmac.key",
               .value = field(&ExternalAccount::hmac_key_file, file_path()),
               .required = true},
          },
      .finish = finish_external_account,
  });
}

void finish_acme(Acme& acme, const Node& node, Decoder& decoder) {
  if (node.find("accept_terms") && !acme.accept_terms) {
    decoder.error(node.mark_of("accept_terms"),
                  "accept_terms: an authority gives nothing to those who do not agree to its terms of service", "true");
  }
  if (!acme.ca.empty() && acme.directory.starts_with("http://")) {
    decoder.error(node.mark_of("ca"), "ca is for a directory over https");
  }
}

}  // namespace

Value<CertificateFiles> acme_certificate_kind() {
  const TextOf name{.words = "name of a host", .pattern = {}, .bytes_max = 253, .check = host_name_defect};
  return section<CertificateFiles>({
      .name = "acme_certificate",
      .title = "Certificate obtained by ACME",
      .doc = "A certificate that is obtained and renewed by itself, as the section `acme` says. Until it is there, "
             "clients that ask for its names are refused with an alert.",
      .properties = {{.name = "acme",
                      .doc = "The names it is for; no wildcards.",
                      .example = "[example.com, www.example.com]",
                      .value = field(&CertificateFiles::acme,
                                     list(text(name), {.min = 1, .max = 100, .single = Single::Alone})),
                      .required = true}},
      .finish = finish_names,
  });
}

Value<Acme> acme_kind() {
  return section<Acme>({
      .name = "acme",
      .title = "Certificates by ACME",
      .doc =
          "The authority that certificates are obtained from (RFC 8555), and how. Account, keys and certificates are "
          "kept in `state_directory`.",
      .properties =
          {
              {.name = "accept_terms",
               .doc = "That you agree to the authority's terms of service; nothing is asked for without.",
               .example = "true",
               .value = field(&Acme::accept_terms, boolean()),
               .required = true},
              {.name = "email",
               .doc = "Where the authority may write to when something is wrong.",
               .example = "ops@example.com",
               .value = field(&Acme::email, text({.words = "address", .bytes_max = 254, .check = email_defect})),
               .default_words = "none"},
              {.name = "directory",
               .doc = "The authority's directory. The default is Let's Encrypt; its staging one, for trying out, is "
                      "`https://acme-staging-v02.api.letsencrypt.org/directory`.",
               .example = "https://acme-staging-v02.api.letsencrypt.org/directory",
               .value = field(&Acme::directory, text({.words = "URL", .bytes_max = 1024, .check = fetchable_url}))},
              {.name = "ca",
               .doc = "PEM: the authorities that the directory's own server is verified by, where it is a private one.",
               .example = "internal-ca.crt",
               .value = field(&Acme::ca, file_path()),
               .default_words = "those that the system trusts"},
              {.name = "external_account",
               .doc = "What the authority has given you to be recognized by.",
               .example = "{ key_id: kid-1, hmac_key_file: acme-hmac.key }",
               .value = field(&Acme::external_account, external_account()),
               .default_words = "none"},
              {.name = "challenge",
               .doc = "How the authority sees that a name is served here.",
               .example = "tls-alpn-01",
               .value =
                   field(&Acme::challenge,
                         one_of<AcmeChallenge>({
                             {"http-01", AcmeChallenge::Http01,
                              "it fetches a file over http on port 80, which every http listener answers"},
                             {"tls-alpn-01", AcmeChallenge::TlsAlpn01,
                              "it shakes hands on port 443, which every https and terminating tls listener answers"},
                         }))},
              {.name = "key",
               .doc = "The kind of key that certificates are for.",
               .example = "rsa-2048",
               .value = field(&Acme::key, one_of<AcmeKey>({
                                              {"ecdsa-p256", AcmeKey::Ecdsa, "small and fast; every client since 2014"},
                                              {"rsa-2048", AcmeKey::Rsa, "for clients older than that"},
                                          }))},
              {.name = "renew_before",
               .doc = "How long before its end a certificate is renewed, at most half of its lifetime; 0: a third of "
                      "its lifetime.",
               .example = "720h",
               .value = field(&Acme::renew_before, duration({.min = 0s, .max = 8760h})),
               .default_words = "a third of the lifetime"},
          },
      .finish = finish_acme,
  });
}

}  // namespace ballast::config

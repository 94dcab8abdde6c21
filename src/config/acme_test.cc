// What the configuration says of certificates that are obtained, and refuses.
#include <gmock/gmock.h>

#include "config/diff.h"
#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MemoryFiles files() {
  MemoryFiles all;
  all.files["hmac.key"] = "MDEyMzQ1Njc4OWFiY2RlZg==\n";
  all.files["short.key"] = "abcd";
  all.files["odd.key"] = "not base64url!!";
  return all;
}

std::string errors_of(const std::string& text) {
  MemoryFiles all = files();
  const auto loaded = load_text("x.yaml", text, {.files = all});
  return loaded ? "" : loaded.error().render();
}

std::string with_names(const std::string& names) {
  return "{ acme: { accept_terms: true, challenge: tls-alpn-01 }, listeners: { x: { address: ':443', protocol: https, "
         "certificates: [ { acme: " +
         names + " } ], default: { fixed_response: { status: 200 } } } } }";
}

TEST(AcmeSettings, WhatCannotBeObtainedIsRefused) {
  const struct {
    std::string text;
    std::string wanted;
  } rows[] = {
      {with_names("[a.example]"), ""},
      {with_names("A.Example"), ""},
      {with_names("['*.example.com']"), "is a wildcard, which needs the challenge dns-01"},
      {with_names("['192.0.2.1']"), "\"192.0.2.1\" is an address; certificates are obtained for names"},
      {with_names("['2001:db8::1']"), "is an address"},
      {with_names("[localhost]"), "has no domain"},
      {with_names("['a..example']"), "is not the name of a host"},
      {with_names("['../../x.example']"), "is not the name of a host"},
      {with_names("['-a.example']"), "is not the name of a host"},
      {with_names("[a.example, A.example]"), "\"a.example\" stands here twice"},
      {with_names("[]"), "acme"},
      {"{ listeners: { x: { address: ':443', protocol: https, certificates: { acme: a.example }, default: { "
       "fixed_response: { status: 200 } } } } }",
       "there is no acme section that says from whom"},
      {"{ listeners: { x: { address: ':443', protocol: https, certificates: { acme: a.example, cert: b }, default: { "
       "fixed_response: { status: 200 } } } }, acme: { accept_terms: true } }",
       "unknown key \"cert\""},
      {"{ acme: { email: a@b.example } }", "accept_terms is missing in this acme"},
      {"{ acme: { accept_terms: false } }", "nothing to those who do not agree to its terms"},
      {"{ acme: { accept_terms: true, email: nobody } }", "is not an address such as"},
      {"{ acme: { accept_terms: true, directory: 'ftp://a' } }", "does not begin with http:// or https://"},
      {"{ acme: { accept_terms: true, directory: 'http://a/', ca: x } }", "ca is for a directory over https"},
      {"{ acme: { accept_terms: true, challenge: dns-01 } }", "http-01, tls-alpn-01"},
      {"{ acme: { accept_terms: true, external_account: { key_id: a } } }", "hmac_key_file is missing"},
      {"{ acme: { accept_terms: true, external_account: { key_id: a, hmac_key_file: none.key } } }", "cannot read"},
      {"{ acme: { accept_terms: true, external_account: { key_id: a, hmac_key_file: short.key } } }",
       "a key in base64url of at least 16 bytes"},
      {"{ acme: { accept_terms: true, external_account: { key_id: a, hmac_key_file: odd.key } } }",
       "a key in base64url"},
      {"{ acme: { accept_terms: true, external_account: { key_id: a, hmac_key_file: hmac.key } } }", ""},
  };
  for (const auto& row : rows) {
    if (row.wanted.empty()) {
      EXPECT_THAT(errors_of(row.text), IsEmpty()) << row.text;
    } else {
      EXPECT_THAT(errors_of(row.text), HasSubstr(row.wanted)) << row.text;
    }
  }
}

TEST(AcmeSettings, EachNameIsJudgedOnce) {
  const std::string errors = errors_of(with_names("['*.example.com', '192.0.2.1']"));
  EXPECT_THAT(errors, HasSubstr("is a wildcard"));
  EXPECT_THAT(errors, HasSubstr("is an address"));
  EXPECT_THAT(errors, testing::Not(HasSubstr("twice")));
}

TEST(AcmeSettings, AreDecodedAndCompared) {
  MemoryFiles all = files();
  const auto before = load_text("x.yaml", with_names("[B.example, a.example]"), {.files = all});
  const auto after = load_text("x.yaml", with_names("[c.example]"), {.files = all});
  ASSERT_TRUE(before.has_value() && after.has_value());
  EXPECT_THAT(before->settings.listeners.front().certificates.front().acme, ElementsAre("b.example", "a.example"));
  EXPECT_EQ(before->settings.acme->directory, "https://acme-v02.api.letsencrypt.org/directory");
  const auto changes = diff(before->settings, after->settings);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_THAT(changes[0].text + changes[1].text, HasSubstr("acme c.example added"));
}

TEST(AcmeSettings, WarnsWhereNobodyAnswersTheChallenge) {
  MemoryFiles all = files();
  std::string text = with_names("a.example");
  text.replace(text.find(", challenge: tls-alpn-01"), std::string(", challenge: tls-alpn-01").size(), "");
  const auto loaded = load_text("x.yaml", text, {.files = all});
  ASSERT_TRUE(loaded.has_value());
  EXPECT_THAT(loaded->warnings.render(), HasSubstr("http-01 is answered by http listeners, and there is none"));
}

}  // namespace
}  // namespace ballast::config

// What the configuration says of TLS, and refuses.
#include <gmock/gmock.h>

#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string errors_of(const std::string& text) {
  MemoryFiles files;
  const auto loaded = load_text("/etc/ballast/x.yaml", text, {.files = files});
  return loaded ? "" : loaded.error().render();
}

std::string listener(const std::string& rest) {
  return "{ listeners: { x: { address: ':443', default: { forward: site }, " + rest +
         " } }, target_groups: { site: { protocol: http } } }";
}

std::string group(const std::string& rest) {
  return "{ target_groups: { x: { " + rest + " } } }";
}

TEST(TlsSettings, ContradictionsAreErrors) {
  const struct {
    std::string text;
    std::string wanted;
  } rows[] = {
      {listener("protocol: https"), "certificates is missing: the https listener has nothing to show to clients"},
      {listener("protocol: https, certificates: { cert: a.crt }"), "key is missing in this certificate"},
      {listener("protocol: http, certificates: { cert: a, key: b }"),
       "a listener with the protocol http has no certificates; write protocol: https"},
      {listener("protocol: tcp, tls: { profile: modern }"),
       "a listener with the protocol tcp has no tls; write protocol: tls"},
      {listener("protocol: https, certificates: { cert: a, key: b }, tls: { alpn: [h2] }"),
       "alpn is for tls listeners"},
      {listener("protocol: https, certificates: { cert: a, key: b }, tls: { profile: midern }"),
       "did you mean \"modern\"?"},
      {listener("protocol: https, certificates: { cert: a, key: b }, tls: { client_certificates: { } }"),
       "ca is missing in this client_certificates"},
      {listener("protocol: tls, certificates: { cert: a, key: b }"),
       "the tls listener \"x\" cannot forward to the http target group \"site\""},
      {listener("protocol: tls, certificates: { cert: a, key: b }, tls: { client_certificates: { ca: c, "
                "subject_header: X-A } }"),
       "a tls listener passes bytes on and can add no subject_header"},
      {group("protocol: http, tls: { verify: false }"), "a group with the protocol http speaks no TLS"},
      {group("protocol: https, tls: { certificate: a }"), "certificate and key belong together"},
      {group("protocol: https, targets: ['unix:/run/x.sock']"), "a Unix socket has no name to verify"},
      {group("protocol: tls, algorithm: source_hash, hash_key: path"), "a tls group sees no requests"},
  };
  const std::string through =
      "{ listeners: { x: { address: ':443', protocol: tls, default: { forward: y }, %s } }, target_groups: { y: { "
      "protocol: tls } } }";
  const auto with = [&](const std::string& rest) { return std::string(through).replace(through.find("%s"), 2, rest); };
  EXPECT_THAT(errors_of(with("access_log: false")), HasSubstr("would get it in TLS once more"));
  EXPECT_THAT(errors_of(with("certificates: { cert: a, key: b }")), IsEmpty());
  for (const auto& row : rows) EXPECT_THAT(errors_of(row.text), HasSubstr(row.wanted)) << row.text;
  EXPECT_THAT(errors_of(group("protocol: https, tls: { server_name: a }, targets: ['unix:/run/x.sock']")), IsEmpty());
  EXPECT_THAT(errors_of(group("protocol: http, tls: { ca: a.crt }, health_check: { protocol: https }")), IsEmpty());
}

TEST(TlsSettings, PathsAreRelativeToTheFileAndChecksFollowTheGroup) {
  MemoryFiles files;
  const auto loaded = load_text("/etc/ballast/x.yaml",
                                "listeners: { x: { address: ':443', protocol: https, default: { forward: site }, "
                                "certificates: [ { cert: a.crt, key: /keys/a.key } ] } }\n"
                                "target_groups: { site: { protocol: https }, bytes: { protocol: tls } }\n",
                                {.files = files});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().render();
  const Listener& listener = loaded->settings.listeners.front();
  EXPECT_EQ(listener.certificates.front().cert, "/etc/ballast/a.crt");
  EXPECT_EQ(listener.certificates.front().key, "/keys/a.key");
  EXPECT_EQ(listener.tls.profile, TlsProfile::Intermediate);
  EXPECT_EQ(loaded->settings.group("site")->health_check.protocol, CheckProtocol::Https);
  EXPECT_EQ(loaded->settings.group("bytes")->health_check.protocol, CheckProtocol::Tls);
}

}  // namespace
}  // namespace ballast::config

// The schema of TLS toward clients: certificates, what is asked of clients, and how it is spoken.
#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

Value<ClientCertificates> client_certificates() {
  return section<ClientCertificates>({
      .name = "client_certificates",
      .title = "Client certificates",
      .doc = "Clients are asked for a certificate, and it is verified.",
      .properties =
          {
              {.name = "mode",
               .doc = "Whether a client may come without one. One that is not trusted is refused in any case.",
               .example = "optional",
               .value = field(&ClientCertificates::mode,
                              one_of<ClientCertificateMode>({
                                  {"required", ClientCertificateMode::Required, "a client without one is refused"},
                                  {"optional", ClientCertificateMode::Optional, "a client without one is served"},
                                  {"off", ClientCertificateMode::Off, "clients are not asked"},
                              }))},
              {.name = "ca",
               .doc = "PEM: the authorities whose certificates are trusted.",
               .example = "clients-ca.crt",
               .value = field(&ClientCertificates::ca, file_path()),
               .required = true},
              {.name = "crl",
               .doc = "PEM: revocation lists, one of each authority that issues clients' certificates.",
               .example = "clients.crl",
               .value = field(&ClientCertificates::crl, file_path()),
               .default_words = "none"},
              {.name = "subject_header",
               .doc = "A header that tells targets the subject of the client's certificate, such as "
                      "`CN=alice,O=Example`. What the client itself sends under that name is removed.",
               .example = "X-Client-Subject",
               .value = field(&ClientCertificates::subject_header, field_name()),
               .default_words = "none"},
          },
  });
}

std::string one_protocol(std::string_view value) {
  return value.empty() ? "the name is empty" : "";
}

Value<CertificateFiles> files_kind() {
  return section<CertificateFiles>({
      .name = "certificate",
      .title = "Certificate",
      .doc = "A certificate with its key, as files. They are read again when they change; files that cannot be used "
             "change nothing, and an event says why.",
      .properties =
          {
              {.name = "cert",
               .doc = "PEM: the site's certificate first, then its chain, each one's issuer behind it.",
               .example = "site.crt",
               .value = field(&CertificateFiles::cert, file_path()),
               .required = true},
              {.name = "key",
               .doc = "PEM: the private key, without a passphrase.",
               .example = "site.key",
               .value = field(&CertificateFiles::key, file_path()),
               .required = true},
              {.name = "ocsp",
               .doc = "DER: the authority's OCSP answer, sent with the certificate (stapled) while it is good.",
               .example = "site.ocsp",
               .value = field(&CertificateFiles::ocsp, file_path()),
               .default_words = "none"},
          },
  });
}

// By whether it has the key `acme`.
class CertificateKind final : public Kind<CertificateFiles> {
 public:
  Shape shape() const override {
    const Shape files = files_->shape();
    const Shape obtained = obtained_->shape();
    return {.form = Shape::Form::AnyOf,
            .words = fmt::format("{}, or {}", files.words, obtained.words),
            .parts = {files, obtained}};
  }
  void decode(const Node& node, CertificateFiles& out, Decoder& decoder) const override {
    (node.find("acme") != nullptr ? obtained_ : files_)->decode(node, out, decoder);
  }
  std::string show(const CertificateFiles& value) const override { return of(value)->show(value); }
  void diff(const CertificateFiles& before, const CertificateFiles& after, const DiffWalk& walk) const override {
    of(after)->diff(before, after, walk);
  }

 private:
  const Value<CertificateFiles>& of(const CertificateFiles& value) const {
    return value.acme.empty() ? files_ : obtained_;
  }
  Value<CertificateFiles> files_ = files_kind();
  Value<CertificateFiles> obtained_ = acme_certificate_kind();
};

}  // namespace

Value<CertificateFiles> certificate_files_kind() {
  return std::make_shared<CertificateKind>();
}

Value<ListenerTls> listener_tls_kind() {
  return section<ListenerTls>({
      .name = "listener_tls",
      .title = "TLS of a listener",
      .doc = "How TLS is spoken with clients.",
      .properties =
          {
              {.name = "profile",
               .doc = "Versions and ciphers, as Mozilla's guide names them.",
               .example = "modern",
               .value = field(&ListenerTls::profile,
                              one_of<TlsProfile>({
                                  {"modern", TlsProfile::Modern, "TLS 1.3 alone"},
                                  {"intermediate", TlsProfile::Intermediate,
                                   "TLS 1.2 and 1.3 with forward secrecy: clients since about 2014"},
                                  {"old", TlsProfile::Old, "TLS 1.0 and later, for devices that cannot be replaced"},
                              }))},
              {.name = "strict_sni",
               .doc = "Refuse clients that ask for a name no certificate has, or for none; otherwise they are shown "
                      "the first certificate.",
               .example = "true",
               .value = field(&ListenerTls::strict_sni, boolean())},
              {.name = "session_tickets",
               .doc = "Whether clients may go on with an earlier session, which saves them and us most of the work of "
                      "a handshake. The keys are shared by all workers, change every 12 hours and are kept in "
                      "state_directory.",
               .example = "false",
               .value = field(&ListenerTls::session_tickets, boolean())},
              {.name = "alpn",
               .doc = "Protocols that a tls listener agrees to, the preferred first; a client that wants others is "
                      "refused.",
               .example = "[mqtt]",
               .value =
                   field(&ListenerTls::alpn, list(text({.words = "protocol", .bytes_max = 255, .check = one_protocol}),
                                                  {.max = 16, .single = Single::Alone})),
               .default_words = "none: the client's wish is not answered"},
              {.name = "client_certificates",
               .doc = "Ask clients for certificates.",
               .example = "{ ca: clients-ca.crt }",
               .value = field(&ListenerTls::client_certificates, client_certificates()),
               .default_words = "not asked for"},
          },
  });
}

}  // namespace ballast::config

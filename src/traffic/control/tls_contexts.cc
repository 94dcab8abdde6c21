#include "traffic/control/tls_contexts.h"

#include <utility>

#include "traffic/acme/store.h"
#include "wire/acme/signing_request.h"

namespace ballast::traffic {
namespace {

tls::Profile profile_of(config::TlsProfile profile) {
  switch (profile) {
    case config::TlsProfile::Modern:
      return tls::Profile::Modern;
    case config::TlsProfile::Old:
      return tls::Profile::Old;
    case config::TlsProfile::Intermediate:
      break;
  }
  return tls::Profile::Intermediate;
}

// The contexts are made of what was read, so the stamps are taken before: a file that changes meanwhile is seen to.
WatchedFiles watch(std::vector<std::string> paths) {
  WatchedFiles watched{.paths = std::move(paths)};
  watched.read = watched.seen = stamps_of(watched.paths);
  return watched;
}

Result<> read_clients(const config::ClientCertificates& clients, tls::ServerOptions& options) {
  if (clients.mode == config::ClientCertificateMode::Off) return {};
  options.clients = clients.mode == config::ClientCertificateMode::Required ? tls::ClientAuthentication::Required
                                                                            : tls::ClientAuthentication::Optional;
  Result<std::string> authorities = io::read_file(clients.ca, tls::pem_bytes_max);
  if (!authorities) return fail(std::move(authorities.error()));
  if (auto good = tls::check_authorities(clients.ca, *authorities); !good) return fail(std::move(good.error()));
  options.authorities_pem = std::move(*authorities);
  if (clients.crl.empty()) return {};
  Result<std::string> revocations = io::read_file(clients.crl, tls::pem_bytes_max);
  if (!revocations) return fail(std::move(revocations.error()));
  if (auto good = tls::check_revocations(clients.crl, *revocations); !good) return fail(std::move(good.error()));
  options.revocations_pem = std::move(*revocations);
  return {};
}

// One that cannot be used is obtained anew; it must not keep the others from being shown.
void add_obtained(const std::vector<std::string>& names, const std::string& state_directory, ListenerContexts& made,
                  tls::ServerOptions& options) {
  const std::string file = acme::certificate_file(state_directory, names);
  auto certificate = tls::load_certificate({.cert = file, .key = file, .ocsp = {}}, std::chrono::system_clock::now());
  if (certificate) {
    made.obtained.insert(file);
    made.certificates.push_back(std::make_shared<const tls::Certificate>(std::move(*certificate)));
    return;
  }
  options.names_to_come.insert(options.names_to_come.end(), names.begin(), names.end());
  if (certificate.error().code() == Code::NotFound) return;
  made.notes.push_back(certificate.error().text() + ": it is obtained anew");
}

// A context needs a certificate; this one has no name and is shown to nobody.
Result<std::shared_ptr<const tls::Certificate>> stand_in_certificate() {
  auto made = ballast::acme::make_challenge_certificate("nobody.invalid", "");
  if (!made) return fail(std::move(made.error()));
  tls::Certificate stand_in{.files = {.cert = "stand-in", .key = "stand-in", .ocsp = {}},
                            .cert_pem = std::move(made->cert_pem),
                            .key_pem = std::move(made->key_pem)};
  stand_in.key_kind = "EC";
  return std::make_shared<const tls::Certificate>(std::move(stand_in));
}

}  // namespace

std::vector<std::string> files_of(const config::Listener& listener, const std::string& state_directory) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path) {
    if (!path.empty()) paths.push_back(path);
  };
  for (const config::CertificateFiles& files : listener.certificates) {
    add(files.cert);
    add(files.key);
    add(files.ocsp);
    if (!files.acme.empty()) add(acme::certificate_file(state_directory, files.acme));
  }
  if (const auto& clients = listener.tls.client_certificates; clients.has_value()) {
    add(clients->ca);
    add(clients->crl);
  }
  return paths;
}

std::vector<std::string> files_of(const config::GroupTls& tls) {
  std::vector<std::string> paths;
  for (const std::string* path : {&tls.ca, &tls.certificate, &tls.key}) {
    if (!path->empty()) paths.push_back(*path);
  }
  return paths;
}

std::vector<std::optional<io::FileStamp>> stamps_of(const std::vector<std::string>& paths) {
  std::vector<std::optional<io::FileStamp>> stamps;
  stamps.reserve(paths.size());
  for (const std::string& path : paths) {
    const Result<io::FileStamp> stamp = io::stamp_of(path);
    stamps.push_back(stamp ? std::optional(*stamp) : std::nullopt);
  }
  return stamps;
}

Result<std::shared_ptr<ListenerContexts>> make_contexts(const config::Listener& listener,
                                                        const std::string& state_directory,
                                                        std::shared_ptr<const tls::TicketKeyRing> ticket_keys,
                                                        const ContextUse& use) {
  auto made = std::make_shared<ListenerContexts>();
  made->files = listener.certificates;
  made->settings = listener.tls;
  made->watched = watch(files_of(listener, state_directory));
  tls::ServerOptions options{
      .identity = listener.name, .profile = profile_of(listener.tls.profile), .strict_sni = listener.tls.strict_sni};
  if (listener.tls.session_tickets) options.ticket_keys = std::move(ticket_keys);
  options.kernel = use.kernel;
  options.alpn = listener.tls.alpn;
  // A client that insists on HTTP/1.0 is served as well.
  if (is_http(listener.protocol)) options.alpn = {"http/1.1", "http/1.0"};
  if (is_http(listener.protocol) && listener.http2.enabled) options.alpn.insert(options.alpn.begin(), "h2");
  for (const config::CertificateFiles& files : listener.certificates) {
    if (!files.acme.empty()) {
      add_obtained(files.acme, state_directory, *made, options);
      continue;
    }
    auto certificate = tls::load_certificate({.cert = files.cert, .key = files.key, .ocsp = files.ocsp},
                                             std::chrono::system_clock::now());
    if (!certificate) return fail(std::move(certificate.error()));
    made->certificates.push_back(std::make_shared<const tls::Certificate>(std::move(*certificate)));
  }
  options.certificates = made->certificates;
  if (options.certificates.empty()) {
    auto stand_in = stand_in_certificate();
    if (!stand_in) return fail(std::move(stand_in.error()));
    options.certificates.push_back(std::move(*stand_in));
    options.strict_sni = true;
  }
  if (const auto& clients = listener.tls.client_certificates; clients.has_value()) {
    if (Result<> read = read_clients(*clients, options); !read) return fail(std::move(read.error()));
  }
  for (int i = 0; i < use.workers; ++i) {
    auto context = tls::ServerContext::make(options);
    if (!context) return fail(std::move(context.error()));
    made->by_worker.push_back(std::move(*context));
  }
  return made;
}

Result<std::shared_ptr<TargetContexts>> make_contexts(const config::GroupTls& tls, const std::vector<std::string>& alpn,
                                                      const ContextUse& use) {
  auto made = std::make_shared<TargetContexts>();
  made->settings = tls;
  made->alpn = alpn;
  made->watched = watch(files_of(tls));
  tls::ClientOptions options;
  options.alpn = alpn;
  options.kernel = use.kernel;
  if (!tls.verify) options.verification = tls::Verification::None;
  if (tls.verify) {
    std::string authorities_pem;
    if (!tls.ca.empty()) {
      Result<std::string> read = io::read_file(tls.ca, tls::pem_bytes_max);
      if (!read) return fail(std::move(read.error()));
      if (auto good = tls::check_authorities(tls.ca, *read); !good) return fail(std::move(good.error()));
      authorities_pem = std::move(*read);
    }
    auto authorities = tls::shared_authorities(authorities_pem);
    if (!authorities) return fail(std::move(authorities.error()));
    options.authorities = std::move(*authorities);
  }
  if (!tls.certificate.empty()) {
    auto own =
        tls::load_certificate({.cert = tls.certificate, .key = tls.key, .ocsp = {}}, std::chrono::system_clock::now());
    if (!own) return fail(std::move(own.error()));
    options.cert_pem = std::move(own->cert_pem);
    options.key_pem = std::move(own->key_pem);
  }
  auto contexts = std::make_shared<GroupContexts>();
  for (int i = 0; i <= use.workers; ++i) {
    auto context = tls::ClientContext::make(options);
    if (!context) return fail(std::move(context.error()));
    if (i < use.workers) {
      contexts->by_worker.push_back(std::move(*context));
    } else {
      contexts->checks = std::move(*context);
    }
  }
  made->contexts = std::move(contexts);
  return made;
}

}  // namespace ballast::traffic

// The settings: what a configuration file means, as plain typed values with every default filled in.
//
// Made by config::load (load.h) from text that passed the schema (schema.h); nothing else makes one by parsing.
// Values: immutable after loading, compared with == for the diff. Any thread may read a shared one.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/health_check.h"
#include "config/kernel_tls.h"
#include "config/mark.h"
#include "config/outliers.h"
#include "config/protection.h"
#include "config/queue.h"
#include "config/shaping.h"
#include "config/sticky.h"

namespace ballast::config {

// "host:port", ":port", "[v6]:port", "unix:/path". Empty host: every address (listener only). A listener may have a
// range of ports, ":7000-7010"; a target may have none, "10.0.0.1": then it is asked on the port the client connected
// to.
struct Address {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;
  std::uint16_t port_last = 0;  // of a range; 0: one port
  bool same_port = false;       // a target without one
  int port_count() const { return port_last == 0 ? 1 : port_last - port + 1; }
  bool is_unix() const { return !unix_path.empty(); }
  std::string to_string() const;
  friend bool operator==(const Address&, const Address&) = default;
};

// Text with `*` and `?`, or an RE2 expression written { regex: "..." }. The regex has been compiled once by the loader.
struct Pattern {
  std::string text;
  bool is_regex = false;
  friend bool operator==(const Pattern&, const Pattern&) = default;
};

struct NamedPattern {
  std::string name;
  Pattern pattern;
  friend bool operator==(const NamedPattern&, const NamedPattern&) = default;
};

// All conditions present must hold; within one condition any of the patterns.
struct Match {
  std::vector<Pattern> host;         // without case, port removed
  std::vector<Pattern> path;         // with case
  std::vector<std::string> method;   // with case
  std::vector<NamedPattern> header;  // each named header must match; values without case
  std::vector<NamedPattern> query;   // each named parameter must match; with case
  std::vector<Network> source;       // the client's address (after trusted proxies)
  std::vector<Pattern> sni;          // the name in a TLS client's hello; without case
  friend bool operator==(const Match&, const Match&) = default;
};

struct WeightedGroup {
  std::string group;
  int weight = 1;  // 0..999
  Mark mark;
  friend bool operator==(const WeightedGroup&, const WeightedGroup&) = default;
};

struct Forward {
  std::vector<WeightedGroup> groups;  // never empty
  std::optional<StayBy> stay_by;      // none: each request is drawn anew
  friend bool operator==(const Forward&, const Forward&) = default;
};

// `to` may hold {host} {port} {path} {query} {protocol}; status 301, 302, 303, 307 or 308.
struct Redirect {
  int status = 301;
  std::string to;
  friend bool operator==(const Redirect&, const Redirect&) = default;
};

struct FixedResponse {
  int status = 200;  // 200..599
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  friend bool operator==(const FixedResponse&, const FixedResponse&) = default;
};

enum class ContentCoding { Gzip, Brotli, Zstd };

// Files of a folder, served by the balancer itself. Names of files are relative to the root.
struct Files {
  std::string root;          // absolute; a folder that was there when the file was read
  std::string strip_prefix;  // taken off the request's path: "/static"
  std::vector<std::string> index{"index.html"};
  std::string fallback;   // instead of a page that is not there; empty: none
  std::string not_found;  // the page of a 404; empty: our own
  std::vector<ContentCoding> precompressed;
  std::string cache_control;      // empty: no such header
  std::string charset = "utf-8";  // of text; empty: none is said
  std::vector<NamedText> types;   // by the ending of a name, before what is known anyway
  bool listing = false;
  bool hidden = false;  // whether names that begin with a dot are served
  friend bool operator==(const Files&, const Files&) = default;
};

using Action = std::variant<Forward, Redirect, FixedResponse, Files>;

// Where a set of keys (JWKS, RFC 7517) comes from: one of the two.
struct KeySource {
  std::string file;               // as seen from the working directory
  std::string url;                // "https://host:port/path"
  std::string ca;                 // of an https url: the file its server is verified by; empty: whom the system trusts
  Milliseconds refresh{600'000};  // of a url
  friend bool operator==(const KeySource&, const KeySource&) = default;
};

// User and password, against a file of bcrypt hashes.
struct BasicAuth {
  std::string file;  // as seen from the working directory
  std::string realm = "restricted";
  std::string header = "X-Auth-User";  // to the target, with the user's name; empty: none
  friend bool operator==(const BasicAuth&, const BasicAuth&) = default;
};

enum class TokenAlgorithm { Rs256, Rs384, Rs512, Ps256, Es256, Es384, Hs256 };

struct ClaimHeader {
  std::string claim;
  std::string header;
  friend bool operator==(const ClaimHeader&, const ClaimHeader&) = default;
};

// A signed token (RFC 7519).
struct JwtAuth {
  KeySource keys;
  std::vector<TokenAlgorithm> algorithms;  // never empty
  std::vector<std::string> issuer;         // one of them; empty: not looked at
  std::vector<std::string> audience;       // one of them; empty: not looked at
  std::vector<NamedPattern> require;       // claims, with case
  std::vector<ClaimHeader> headers;        // to the target
  Milliseconds leeway{30'000};             // for exp, nbf and iat
  bool require_expiry = true;
  std::string cookie;  // where the token is; empty: Authorization: Bearer
  std::string realm = "restricted";
  std::string user_claim = "sub";  // for the access log
  friend bool operator==(const JwtAuth&, const JwtAuth&) = default;
};

// A service that is asked about each request.
struct ForwardAuth {
  std::string group;
  std::string path = "/";
  std::vector<std::string> request_headers{"Authorization", "Cookie"};  // of the client's, to the service
  std::vector<std::string> response_headers;                            // of the service's, to the target
  std::string user_header;  // of the service's answer, for the access log; empty: none
  Milliseconds timeout{5'000};
  Mark mark;
  friend bool operator==(const ForwardAuth&, const ForwardAuth&) = default;
};

struct Auth {
  bool enabled = true;  // false: `off`, for a rule of a listener that has one
  std::variant<BasicAuth, JwtAuth, ForwardAuth> how;
  Mark mark;
  friend bool operator==(const Auth&, const Auth&) = default;
};

// Which pages of other origins may read responses: the CORS protocol of the Fetch standard.
struct Cors {
  bool enabled = true;               // false: `off`, for a rule of a listener that has it
  std::vector<std::string> origins;  // "https://app.example.com", "https://*.example.com", "null", "*"; never empty
  std::vector<std::string> methods{"GET", "HEAD", "POST"};  // of preflighted requests; "*": any
  std::vector<std::string> headers;                         // of requests; "*": any
  std::vector<std::string> expose;                          // of responses, to scripts; "*": all
  bool credentials = false;
  std::optional<Milliseconds> max_age;  // of a preflight's answer; none: the browser's own
  bool private_network = false;
  bool refuse = false;  // other origins are answered with 403
  Mark mark;
  friend bool operator==(const Cors&, const Cors&) = default;
};

struct Rule {
  std::string name;  // for logs and metrics; "rule-1" where not given
  Match match;
  Action action;
  std::optional<Auth> auth;  // none: the listener's
  std::optional<Cors> cors;  // the same
  Door door;                 // of a rule of HTTP, behind the listener's
  Priority priority = Priority::Normal;
  // Of a rule of HTTP. Texts of headers may hold {host} {port} {path} {query} {protocol} {client} {request_id}.
  std::vector<NamedText> request_headers;           // told the target, in the place of what is there
  std::vector<std::string> remove_request_headers;  // not told the target
  std::vector<NamedText> response_headers;          // behind what the listener says of them
  std::vector<std::string> remove_headers;          // taken out of responses
  std::optional<Rewrite> rewrite;                   // none: the target is asked for what the client asks for
  std::vector<Fault> faults;
  std::optional<Mirror> mirror;
  Mark mark;
  friend bool operator==(const Rule&, const Rule&) = default;
};

// Tls: with certificates it is terminated; without, passed through to a target by the name the client asks for.
enum class ListenerProtocol { Tcp, Tls, Udp, Http, Https };
inline bool is_http(ListenerProtocol protocol) {
  return protocol == ListenerProtocol::Http || protocol == ListenerProtocol::Https;
}
inline bool is_secure(ListenerProtocol protocol) {
  return protocol == ListenerProtocol::Tls || protocol == ListenerProtocol::Https;
}
std::string_view to_string(ListenerProtocol protocol);  // "https"

enum class ForwardedHeaders { Append, Replace, Off };

// How much a message may leave open before it is refused; a listener's for requests, a group's for responses.
enum class DesyncMode { Monitor, Defensive, Strictest };

// Limits of what a client may send; sizes in bytes.
struct RequestLimits {
  std::size_t request_line = 16 * 1024;
  std::size_t header = 16 * 1024;
  std::size_t headers = 64 * 1024;
  int header_count = 100;
  std::optional<std::uint64_t> body;                     // none: no limit
  std::uint32_t connections = 100'000;                   // of this listener, all workers together
  std::optional<std::uint32_t> connections_per_address;  // the same, of one client; none: no limit
  friend bool operator==(const RequestLimits&, const RequestLimits&) = default;
};

struct ListenerTimeouts {
  Milliseconds handshake{10'000};    // of TLS, from the connection to its end
  Milliseconds header{10'000};       // from the first byte of a head to its last
  Milliseconds keep_alive{60'000};   // idle between two requests, and before the first
  Milliseconds idle{60'000};         // no byte either way in a body (of a tcp listener: the whole connection, 10 min)
  Milliseconds tunnel{3'600'000};    // no byte either way in a WebSocket or another upgraded connection
  std::uint64_t minimum_rate = 240;  // bytes/s of a request body, averaged over 10 s after a grace of 10 s; 0: off
  friend bool operator==(const ListenerTimeouts&, const ListenerTimeouts&) = default;
};

// Of a udp listener. A flow costs a descriptor and a port of this machine: Linux has 28,232 of those by itself.
struct UdpFlows {
  std::uint32_t flows = 16'384;      // at once, of one worker
  std::uint32_t per_client = 4'096;  // of those, of one client address
  std::optional<int> answers;        // for each datagram of the client; then the flow ends. None: it ends when idle
  friend bool operator==(const UdpFlows&, const UdpFlows&) = default;
};

// What a PROXY header is asked of, and what becomes of connections from elsewhere.
enum class OtherPeers { Refused, Plain };
struct ProxyProtocol {
  std::vector<Network> from;  // empty on a Unix socket, where everybody who may connect is believed
  OtherPeers others = OtherPeers::Refused;
  Milliseconds timeout{5'000};  // for the whole header; the specification asks for 3 s at least: one retransmission
  friend bool operator==(const ProxyProtocol&, const ProxyProtocol&) = default;
};

// HTTP/2 toward clients. The windows bound what is held for a client whose body nobody reads yet.
struct Http2 {
  bool enabled = true;
  int streams = 128;  // at once in one connection
  std::size_t stream_window_bytes = std::size_t{64} << 10;
  std::size_t window_bytes = std::size_t{1} << 20;  // of all streams of a connection together
  friend bool operator==(const Http2&, const Http2&) = default;
};

// Files are as seen from the working directory; relative ones in the file were taken relative to it.
// Files, or names for which one is obtained.
struct CertificateFiles {
  std::string cert;
  std::string key;
  std::string ocsp;               // empty: none
  std::vector<std::string> acme;  // lower case, each once; empty: it is of files
  Mark mark;
  friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

enum class TlsProfile { Modern, Intermediate, Old };

enum class ClientCertificateMode { Off, Optional, Required };

struct ClientCertificates {
  ClientCertificateMode mode = ClientCertificateMode::Required;
  std::string ca;
  std::string crl;             // empty: none
  std::string subject_header;  // empty: targets are not told
  friend bool operator==(const ClientCertificates&, const ClientCertificates&) = default;
};

struct ListenerTls {
  TlsProfile profile = TlsProfile::Intermediate;
  bool strict_sni = false;
  bool session_tickets = true;
  std::vector<std::string> alpn;  // of a tls listener
  std::optional<ClientCertificates> client_certificates;
  friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

// Responses compressed on their way to the client.
struct Compression {
  std::vector<ContentCoding> codings{ContentCoding::Zstd, ContentCoding::Brotli, ContentCoding::Gzip};
  std::vector<std::string> types{"text/*",          "application/json",   "application/javascript",
                                 "application/xml", "application/*+json", "application/*+xml",
                                 "image/svg+xml",   "application/wasm",   "application/manifest+json"};
  std::size_t minimum = 1024;  // bytes of a body whose length is known
  int gzip_level = 5;
  int brotli_level = 4;
  int zstd_level = 3;
  int streams_max = 100;  // at once, of one worker; further ones go as they are
  Mark mark;
  friend bool operator==(const Compression&, const Compression&) = default;
};

// What no rule of an http listener matches is sent to the same URL over https.
struct HttpsRedirect {
  bool enabled = true;
  std::uint16_t port = 443;
  int status = 308;
  Mark mark;
  friend bool operator==(const HttpsRedirect&, const HttpsRedirect&) = default;
};

// Strict-Transport-Security (RFC 6797).
struct Hsts {
  Milliseconds max_age{0};  // required; 0: browsers forget it
  bool include_subdomains = false;
  bool preload = false;
  Mark mark;
  std::string header() const;
  friend bool operator==(const Hsts&, const Hsts&) = default;
};

struct Listener {
  std::string name;
  Address address;
  ListenerProtocol protocol = ListenerProtocol::Http;
  std::vector<CertificateFiles> certificates;  // the first is the default
  ListenerTls tls;
  std::vector<Rule> rules;
  // Key `default`. None: a tls listener refuses, one with redirect_https redirects; no other may have none.
  std::optional<Action> default_action;
  std::optional<HttpsRedirect> redirect_https;
  std::optional<Hsts> hsts;  // of an https listener
  std::optional<Auth> auth;  // of every rule that has none of its own, and of the default
  std::optional<Cors> cors;  // the same
  Door door;
  RequestLimits limits;
  DesyncMode desync = DesyncMode::Defensive;
  ListenerTimeouts timeouts;
  UdpFlows udp;
  std::optional<ProxyProtocol> proxy_protocol;
  Http2 http2;
  std::vector<Network> trusted_proxies;  // whose X-Forwarded-For, Forwarded and request ids are believed
  ForwardedHeaders x_forwarded = ForwardedHeaders::Append;
  bool forwarded = false;                   // RFC 7239 Forwarded as well
  std::optional<Compression> compression;   // none: off
  std::vector<NamedText> response_headers;  // put into every response, in the place of one that is there
  std::vector<std::string> remove_headers;  // taken out of every response
  std::string server_header;                // empty: the target's passes through
  std::optional<Maintenance> maintenance;   // none: a page of our own
  bool access_log = true;                   // false: this listener is not logged
  Mark mark;
  friend bool operator==(const Listener&, const Listener&) = default;
};

inline bool redirects_to_https(const Listener& listener) {
  return listener.redirect_https.has_value() && listener.redirect_https->enabled;
}

// A tls listener without certificates: its TLS is the targets'.
inline bool passes_tls_through(const Listener& listener) {
  return listener.protocol == ListenerProtocol::Tls && listener.certificates.empty();
}

enum class GroupProtocol { Tcp, Tls, Udp, Http, Https, H2c, H2, Ajp };
inline bool is_http2(GroupProtocol protocol) {
  return protocol == GroupProtocol::H2c || protocol == GroupProtocol::H2;
}
inline bool is_http(GroupProtocol protocol) {
  return protocol == GroupProtocol::Http || protocol == GroupProtocol::Https || is_http2(protocol) ||
         protocol == GroupProtocol::Ajp;
}
inline bool is_secure(GroupProtocol protocol) {
  return protocol == GroupProtocol::Tls || protocol == GroupProtocol::Https || protocol == GroupProtocol::H2;
}
std::string_view to_string(GroupProtocol protocol);

enum class Algorithm { RoundRobin, LeastRequests, TwoChoices, LeastTime, SourceHash, Maglev, Random };

// What source_hash and maglev hash: the client's address, a header, a cookie or the path.
enum class HashKeyKind { Source, Header, Cookie, Path };
struct HashKey {
  HashKeyKind kind = HashKeyKind::Source;
  std::string name;
  friend bool operator==(const HashKey&, const HashKey&) = default;
};

struct Target {
  Address address;
  int weight = 1;     // 0..999
  std::string route;  // what ids of its sessions end in; empty: none
  Mark mark;
  friend bool operator==(const Target&, const Target&) = default;
};

// How targets are spoken to over TLS.
struct GroupTls {
  bool verify = true;
  std::string ca;           // empty: whom the system trusts
  std::string server_name;  // empty: the target's own
  std::string certificate;  // ours, with its key; empty: none
  std::string key;
  friend bool operator==(const GroupTls&, const GroupTls&) = default;
};

struct GroupTimeouts {
  Milliseconds connect{5'000};
  Milliseconds header{60'000};  // from the last byte sent to the response's head
  Milliseconds idle{60'000};    // no byte in a response body
  friend bool operator==(const GroupTimeouts&, const GroupTimeouts&) = default;
};

// The statuses of gRPC that a call may be tried again for; the numbers are the grpc project's.
enum class GrpcStatus : int {
  Cancelled = 1,
  Unknown = 2,
  DeadlineExceeded = 4,
  ResourceExhausted = 8,
  Aborted = 10,
  Internal = 13,
  Unavailable = 14,
};

struct Retries {
  int attempts = 3;                        // in all, the first included; 1..10
  std::size_t body_bytes_max = 64 * 1024;  // of a request, kept while it is sent; 0: it goes once
  Milliseconds timeout{0};                 // of one attempt, while another can be made; 0: none
  int budget_percent = 20;                 // retries at most this share of the active requests (never under 3 at once)
  std::vector<StatusRange> statuses;       // of answers to idempotent requests; empty: none
  std::vector<GrpcStatus> grpc_statuses;   // of calls that ended without a message
  friend bool operator==(const Retries&, const Retries&) = default;
};

struct Pool {
  std::uint32_t idle_max = 1024;      // idle connections kept per target and worker
  Milliseconds idle_timeout{60'000};  // and never longer than the target was seen to keep them
  std::uint64_t requests_max = 0;     // of one connection; 0: no limit
  friend bool operator==(const Pool&, const Pool&) = default;
};

// Whom a target sees a connection come from; Client needs CAP_NET_ADMIN and routes that bring the answers back.
enum class SourceAddress { Balancer, Client };

// The PROXY header that a target gets before anything else.
enum class ProxyHeader { Off, V1, V2 };

// Of an ajp group.
struct Ajp {
  std::string secret;               // empty: none
  std::size_t packet_bytes = 8192;  // as the container's
  Milliseconds ping_after{5'000};   // a connection that rested so long is asked first, where a request goes only once
  Milliseconds ping_timeout{5'000};
  friend bool operator==(const Ajp&, const Ajp&) = default;
};

// Sessions whose id ends in ".ROUTE" stay with the target of that route.
struct SessionRoute {
  bool enabled = true;
  std::string cookie = "JSESSIONID";
  std::string parameter = "jsessionid";
  friend bool operator==(const SessionRoute&, const SessionRoute&) = default;
};

struct TargetGroup {
  std::string name;
  GroupProtocol protocol = GroupProtocol::Http;
  Algorithm algorithm = Algorithm::RoundRobin;
  HashKey hash_key;
  HealthCheck health_check;
  std::vector<Target> targets;
  GroupTls tls;
  int minimum_healthy = 1;                     // fewer: fail open
  Milliseconds deregistration_delay{300'000};  // 0..3600 s
  Milliseconds slow_start{0};                  // 0: off; 30..900 s in production, smaller allowed
  Outliers outliers;                           // off in a udp group
  GroupTimeouts timeouts;
  Retries retries;
  Pool pool;
  Ajp ajp;
  SessionRoute session_route;
  std::optional<Sticky> sticky;  // none: each request is balanced anew
  std::size_t response_headers_max = 32 * 1024;
  DesyncMode desync = DesyncMode::Defensive;
  std::uint32_t target_connections_max = 0;  // to one target from one worker; 0: no limit
  std::uint32_t target_requests_max = 0;     // at one target at once, of all workers together; 0: no limit
  Queue queue;                               // where target_requests_max is set
  ProxyHeader proxy_protocol = ProxyHeader::Off;
  SourceAddress source_address = SourceAddress::Balancer;
  bool pass_host = true;  // false: Host is the target's address
  Mark mark;
  friend bool operator==(const TargetGroup&, const TargetGroup&) = default;
};

enum class AccessLogFormat { Json, Combined };

struct AccessLog {
  std::string path;  // empty: off; "stdout"; else a file, reopened on SIGUSR1
  AccessLogFormat format = AccessLogFormat::Json;
  friend bool operator==(const AccessLog&, const AccessLog&) = default;
};

struct Admin {
  std::string socket = "/run/ballast/admin.sock";
  std::optional<Address> http;  // /metrics and the read-only part of the API
  friend bool operator==(const Admin&, const Admin&) = default;
};

enum class AcmeChallenge { Http01, TlsAlpn01 };
enum class AcmeKey { Ecdsa, Rsa };

// What an authority has given its customer, for the first contact (RFC 8555 7.3.4).
struct ExternalAccount {
  std::string key_id;
  std::string hmac_key_file;
  std::string hmac_key;  // the bytes, as read from that file
  friend bool operator==(const ExternalAccount&, const ExternalAccount&) = default;
};

// How certificates are obtained.
struct Acme {
  std::string directory = "https://acme-v02.api.letsencrypt.org/directory";
  std::string email;  // empty: none is told
  bool accept_terms = false;
  std::optional<ExternalAccount> external_account;
  std::string ca;  // the file the authority's server is verified by; empty: whom the system trusts
  AcmeChallenge challenge = AcmeChallenge::Http01;
  AcmeKey key = AcmeKey::Ecdsa;
  Milliseconds renew_before{0};  // 0: a third of the lifetime
  Mark mark;
  friend bool operator==(const Acme&, const Acme&) = default;
};

// What is kept of errors and slow requests, for `ballast explain`.
struct Explain {
  std::uint32_t keep = 1'000;      // records, of all workers together; 0: none
  Milliseconds slow_after{5'000};  // to the response's head; 0: no request is slow
  std::string reason_header;       // of the balancer's own answers; empty: none
  friend bool operator==(const Explain&, const Explain&) = default;
};

struct Recording;

struct Settings {
  std::vector<std::string> files;          // as named in diagnostics, the main file first
  std::vector<Listener> listeners;         // in the order of the file
  std::vector<TargetGroup> target_groups;  // in the order of the file
  Admin admin;
  AccessLog access_log;
  Explain explain;
  std::optional<Acme> acme;
  std::string state_directory = "/var/lib/ballast";
  int workers = 0;  // 0: auto, one a core
  KernelTls kernel_tls = KernelTls::Auto;
  Milliseconds shutdown_timeout{30'000};       // how long SIGTERM drains
  Milliseconds handover_timeout{3'600'000};    // how long a process drains that another one has followed
  std::shared_ptr<const Recording> recording;  // what it was read from; nullptr: text of a test
  const TargetGroup* group(std::string_view name) const;
  const Listener* listener(std::string_view name) const;
};

}  // namespace ballast::config

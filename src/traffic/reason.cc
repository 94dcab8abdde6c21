#include "traffic/reason.h"

#include <array>

namespace ballast::traffic {
namespace {

struct Row {
  std::string_view name;
  int status;
  std::string_view words;
  // For the operator; docs/guide/errors.md has the same.
  std::string_view happened;
  std::string_view advice;
};

constexpr std::array<Row, reason_count> rows{{
    {"", 0, "", "", ""},
    {"request_malformed", 400, "The request is not valid HTTP.", "the request breaks HTTP; the `defect` says how",
     "mend the client; many of them are an attack. `desync: monitor` lets more pass"},
    {"request_timeout", 408, "The request did not arrive in time.", "the head did not come within `timeouts.header`",
     "a client on a bad network, or one that only holds connections; raise it for slow clients"},
    {"request_too_slow", 408, "The request's body arrived too slowly.",
     "the body came below `timeouts.minimum_rate`, or stopped for `timeouts.idle`", "lower the rate for slow uplinks"},
    {"request_too_large", 413, "The request's body is larger than is allowed here.", "the body is over `limits.body`",
     "raise it, if such uploads are meant to be"},
    {"method_refused", 405, "This method is not allowed here.",
     "CONNECT or TRACE; with `files` all but GET, HEAD and OPTIONS",
     "the client takes this for a proxy, or for a program behind it: is the address right?"},
    {"file_not_found", 404, "There is nothing at this address.", "no file of that name below the `root`",
     "is the link right? was the file deployed? `fallback` is for pages that are made in the browser"},
    {"file_refused", 404, "There is nothing at this address.",
     "the path leads out of the `root`, or names what is never sent: hidden, or no regular file",
     "often somebody trying doors"},
    {"file_denied", 403, "This file may not be read.", "Ballast's user may not read the file",
     "its permissions, and those of the folders above"},
    {"file_failed", 500, "This file cannot be read.", "the disk failed, or the `root` is gone", "is the root there?"},
    {"client_gone", 460, "The client closed the connection.", "the client cut the connection",
     "nothing, where it is seldom; else the answers take longer than clients wait: see the times"},
    {"no_target", 503, "No server is available for this request.", "the group has no target that takes requests",
     "`ballast status`: are all drained, or of weight 0?"},
    {"targets_full", 503, "Every server for this request is at its limit.",
     "every target is at `target_connections_max`, or at `target_requests_max` and `queue.length` is 0",
     "more targets, or a higher limit"},
    {"queue_full", 503, "Every server for this request is busy, and too many others wait.",
     "every target is at `target_requests_max`, and `queue.length` requests wait already",
     "more targets: they are slower than requests come; a longer queue only makes everybody wait longer"},
    {"queue_timeout", 503, "Every server for this request was busy for too long.",
     "every target was at `target_requests_max` for as long as `queue.timeout`",
     "more targets, or find what makes them slow: `ballast explain --slow`, P99 in `ballast status`"},
    {"connect_refused", 502, "The server for this request refused the connection.", "nobody listens at the target",
     "is the server running? on that port?"},
    {"connect_timeout", 504, "The server for this request did not accept the connection in time.",
     "the target did not accept within `timeouts.connect`", "a firewall, a full backlog"},
    {"connect_failed", 502, "The server for this request cannot be reached.", "unreachable, or reset while connecting",
     "the network, and the firewall between"},
    {"target_tls", 502, "The server for this request could not be reached securely.",
     "the target could not be spoken to over TLS",
     "its certificate, `tls.ca`, `tls.server_name`; the attempt says it in words"},
    {"target_closed", 502, "The server for this request closed the connection without an answer.",
     "the target closed before its answer", "its log; did it crash?"},
    {"target_reset", 502, "The server for this request cut the connection.",
     "the target reset the connection before its answer", "its log; did it crash, or its queue overflow?"},
    {"target_timeout", 504, "The server for this request did not answer in time.", "no head within `timeouts.header`",
     "a slow request; or raise it"},
    {"target_malformed", 502, "The answer of the server is not valid HTTP.",
     "the answer breaks HTTP; the `defect` says how", "mend the server; it is never passed on"},
    {"packet_too_small", 431, "The headers of the request are larger than the server for it takes.",
     "the request's head does not fit into an AJP packet", "a larger `packet_size` here and in the container"},
    {"body_cut", 0, "The answer of the server broke off.",
     "the body broke off; the client's connection is cut so that it knows", "the server's log"},
    {"body_timeout", 0, "The answer of the server stopped.", "nothing came for the group's `timeouts.idle`",
     "a server that hangs in the middle of its answer; or raise it for streams that pause"},
    {"stopped", 503, "The service is stopping.", "the drain's time was over",
     "a longer `shutdown_timeout` or `deregistration_delay`"},
    {"overloaded", 503, "The service has too many connections.",
     "out of a resource of the kernel, or over the listener's `limits.connections`",
     "`LimitNOFILE`, memory; a higher limit"},
    {"proxy_untrusted", 0, "This address only serves the balancers in front of it.",
     "a connection to a listener with `proxy_protocol` came from outside of `from`",
     "add the balancer's network, or `others: plain`"},
    {"proxy_malformed", 0, "The connection did not begin with a valid PROXY header.",
     "a trusted balancer's connection did not begin with a valid PROXY header; the `defect` says how",
     "does the balancer send one? HAProxy: `send-proxy-v2`"},
    {"proxy_timeout", 0, "The PROXY header did not arrive in time.",
     "the PROXY header did not come within `proxy_protocol.timeout`",
     "does the balancer in front send one, and at once?"},
    {"not_tls", 0, "The client does not speak TLS.", "a tls listener's client did not begin with a TLS handshake",
     "does the client speak TLS at all? some protocols (STARTTLS) begin in the clear"},
    {"hello_malformed", 0, "The client's hello is not valid TLS.",
     "the client's hello breaks TLS; the `defect` says how", "mend the client; many of them are somebody trying doors"},
    {"hello_timeout", 0, "The client's hello did not arrive in time.",
     "the client's hello did not come within `timeouts.header`",
     "a client that waits for the server to speak first belongs to a tcp listener"},
    {"name_refused", 0, "No server has the name that the client asks for.",
     "no rule matches the name the client asks for, and there is no default",
     "a rule with that name in `match.sni`, or a `default`"},
    {"flow_evicted", 0, "There were too many clients.", "a flow of a udp listener made room for a newer one",
     "larger `udp.flows` or `udp.per_client`, if these are clients of yours"},
    {"auth_required", 401, "Say who you are.", "the request says nothing of who sends it",
     "nothing, where a browser then asks for the password; else the client has to send its credentials"},
    {"auth_refused", 401, "This user, password or token is not accepted.",
     "a wrong password, or a token that is not believed",
     "the detail (the log's `auth_fault`): `expired`, `unknown_key`, `wrong_audience`, ..."},
    {"auth_forbidden", 403, "You are not allowed this.", "a token that is believed, without a claim of `require`",
     "grant it where tokens are made, or ask for less"},
    {"auth_denied", 0, "The service that was asked did not let the request pass.",
     "the service of `auth.forward` did not answer 2xx; its answer went to the client", "its log"},
    {"auth_unavailable", 503, "Who you are cannot be checked at the moment.",
     "that service gave no answer, or no keys for tokens have come yet", "`ballast events`, `ballast status`"},
    {"auth_overloaded", 503, "Too many users are being checked at the moment.", "too many passwords wait to be tried",
     "somebody guesses passwords; or a lower bcrypt cost"},
    {"cors_refused", 403, "Pages of this origin may not use this service.",
     "a page of an origin that `cors` does not allow, where it refuses such", "add the origin, or drop `refuse`"},
    {"tunnel_idle", 0, "Nothing was said for too long.",
     "an upgraded connection (WebSocket) was closed: nothing had passed either way for `timeouts.tunnel`",
     "let one of the two send pings; or raise it"},
    {"rate_limited", 429, "There were too many requests; come back later.",
     "over one of `rate_limits`; the log's `limit` says which",
     "a higher `burst`, or `except`; is it one client behind a proxy that is not in `trusted_proxies`?"},
    {"address_denied", 403, "Your address may not use this service.",
     "the client's address is in `deny`, or not in `allow`", "nothing, where that is meant; else those two lists"},
    {"address_full", 429, "Your address has too many connections.", "the address has its `connections_per_address`",
     "many people behind one address? raise it; a proxy in front? `trusted_proxies`"},
    {"rewrite_refused", 400, "The path of this request cannot be passed on.",
     "the path that the rule's `rewrite` makes of it leads upwards (`..`), or is too long (414); the detail says which",
     "mostly somebody trying doors; else the `rewrite` itself"},
    {"header_too_long", 431, "The headers of this request are too long to be passed on.",
     "what the rule's `request_headers` make of it is longer than 64 KiB", "fewer placeholders in them"},
    {"fault_injected", 503, "This failure was made on purpose.", "the rule's `fault` answered it: nothing has failed",
     "is the test over? take `fault` out of the rule"},
    {"maintenance", 503, "The service is under maintenance; come back later.",
     "an operator has put the listener under maintenance", "`ballast maintenance off LISTENER`, when it is over"},
}};

const Row& row_of(Reason reason) {
  return rows[static_cast<std::size_t>(reason)];
}

}  // namespace

std::string_view to_string(Reason reason) {
  return row_of(reason).name;
}
std::string_view explain(Reason reason) {
  return row_of(reason).words;
}
std::string_view happened(Reason reason) {
  return row_of(reason).happened;
}
std::string_view advice(Reason reason) {
  return row_of(reason).advice;
}
int status_of(Reason reason) {
  return row_of(reason).status;
}

bool is_about_who_asks(Reason reason) {
  return reason == Reason::AuthRequired || reason == Reason::AuthRefused || reason == Reason::AuthForbidden;
}

Reason reason_of_connect(Code code) {
  switch (code) {
    case Code::Refused:
      return Reason::ConnectRefused;
    case Code::TimedOut:
      return Reason::ConnectTimeout;
    case Code::Cancelled:
      return Reason::Stopped;
    case Code::Malformed:
      return Reason::TargetTls;
    default:
      return Reason::ConnectFailed;
  }
}

}  // namespace ballast::traffic

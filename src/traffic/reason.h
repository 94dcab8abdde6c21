// Reason: why the balancer answered itself, or an exchange ended otherwise than in order. One list; it appears in the
// access log, the metrics and the guide.
//
//   reason               status  when
//   request_malformed    400     the request breaks HTTP (its Defect says how); also 414, 431, 501, 505
//   request_timeout      408     the head did not come in time
//   request_too_slow     408     the body came below the minimum rate, or stopped
//   request_too_large    413     the body is over the listener's limit
//   method_refused       405     CONNECT or TRACE
//   file_not_found       404     no file of that name
//   file_refused         404     the path leads out of the root, or to what is never served (hidden, no plain file)
//   file_denied          403     the file may not be read by the user that ballast runs as
//   file_failed          500     the disk, or the root itself is gone
//   client_gone          460     the client cut the connection before it had its answer; only logged
//   no_target            503     the group has no target that takes requests
//   targets_full         503     every target is at its limit of connections or requests, and nobody waits there
//   queue_full           503     every target is at its limit, and the queue is full
//   queue_timeout        503     no target could take it for as long as it may wait
//   connect_refused      502     nobody listens at the target
//   connect_timeout      504     the target did not accept in time
//   connect_failed       502     unreachable, or reset while connecting
//   target_tls       502     the target could not be spoken to over TLS: its certificate is not trusted, mostly
//   target_closed        502     the target closed before its answer
//   target_reset         502     the target reset the connection before its answer
//   target_timeout       504     the target's head did not come in time
//   target_malformed     502     the answer breaks HTTP (its Defect says how)
//   packet_too_small     431     the request's head does not fit into a packet of the group's (AJP)
//   body_cut             -       the target's body broke off after its head was passed on: the client's is cut too
//   body_timeout         -       the same, because nothing came in time
//   tunnel_idle          -       an upgraded connection was closed: nothing had passed either way for too long
//   stopped              503     ballast is stopping and the drain's time is over
//   overloaded           503     out of descriptors or over the listener's connection limit
//   proxy_untrusted      -       a connection to a listener with proxy_protocol came from outside of its networks
//   proxy_malformed      -       a trusted balancer's connection did not begin with a valid PROXY header
//   proxy_timeout        -       or not in time
//   not_tls              -       a tls listener's client did not begin with a TLS handshake
//   hello_malformed      -       its hello breaks TLS, or is larger than any known
//   hello_timeout        -       its hello did not come in time
//   name_refused         -       no rule matches the name it asks for, and there is no default
//   flow_evicted         -       a flow of datagrams made room for a newer one
//   auth_required        401     the request says nothing of who sends it
//   auth_refused         401     a wrong password, or a token that is not believed (auth_fault says why)
//   auth_forbidden       403     a token that is believed, without a claim that is required
//   auth_denied          -       the service that was asked (forward) said no: its answer went to the client
//   auth_unavailable     503     that service gave no answer, or no keys for tokens have come yet
//   auth_overloaded      503     too many passwords wait to be tried
//   cors_refused         403     a page of an origin that is not allowed, where the rule's cors refuses such
//   rate_limited         429     over a limit of the listener's or the rule's rate_limits; 503 where the limit says so
//   address_denied       403     deny, or no network of allow; a connection of layer 4 is closed, a datagram dropped
//   address_full         429     the client's address has its connections_per_address; where no answer can be sent:
//   closed
//   rewrite_refused      400     the path that the rule's rewrite makes of it leads upwards; 414 where it is too long
//   header_too_long      431     the headers that the rule makes of it are too long
//   fault_injected       -       the rule's fault: the status that it says
//   maintenance          503     the listener is under maintenance
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace ballast::traffic {

enum class Reason : std::uint8_t {
  None,
  RequestMalformed,
  RequestTimeout,
  RequestTooSlow,
  RequestTooLarge,
  MethodRefused,
  FileNotFound,
  FileRefused,
  FileDenied,
  FileFailed,
  ClientGone,
  NoTarget,
  TargetsFull,
  QueueFull,
  QueueTimeout,
  ConnectRefused,
  ConnectTimeout,
  ConnectFailed,
  TargetTls,
  TargetClosed,
  TargetReset,
  TargetTimeout,
  TargetMalformed,
  PacketTooSmall,
  BodyCut,
  BodyTimeout,
  Stopped,
  Overloaded,
  ProxyUntrusted,
  ProxyMalformed,
  ProxyTimeout,
  NotTls,
  HelloMalformed,
  HelloTimeout,
  NameRefused,
  FlowEvicted,
  AuthRequired,
  AuthRefused,
  AuthForbidden,
  AuthDenied,
  AuthUnavailable,
  AuthOverloaded,
  CorsRefused,
  TunnelIdle,
  RateLimited,
  AddressDenied,
  AddressFull,
  RewriteRefused,
  HeaderTooLong,
  FaultInjected,
  Maintenance,
};
inline constexpr int reason_count = static_cast<int>(Reason::Maintenance) + 1;

std::string_view to_string(Reason reason);  // "connect_refused"; "" for None
// One sentence for the person who gets the response.
std::string_view explain(Reason reason);
// For the operator: what it means, and what to look at or to do. docs/guide/errors.md has the same; each has one.
std::string_view happened(Reason reason);
std::string_view advice(Reason reason);
// The status of the balancer's own answer; 0 where none can be sent.
int status_of(Reason reason);

// Whether it tells that the sender of a request is not let in; nothing is wrong with the connection.
bool is_about_who_asks(Reason reason);

// Of a connect that failed with this code.
Reason reason_of_connect(Code code);

}  // namespace ballast::traffic

#include "traffic/reason.h"

#include <array>

namespace ballast::traffic {
namespace {

struct Row {
  std::string_view name;
  int status;
  std::string_view words;
};

constexpr std::array<Row, reason_count> rows{{
    {"", 0, ""},
    {"request_malformed", 400, "The request is not valid HTTP."},
    {"request_timeout", 408, "The request did not arrive in time."},
    {"request_too_slow", 408, "The request's body arrived too slowly."},
    {"request_too_large", 413, "The request's body is larger than is allowed here."},
    {"method_refused", 405, "This method is not allowed here."},
    {"file_not_found", 404, "There is nothing at this address."},
    {"file_refused", 404, "There is nothing at this address."},
    {"file_denied", 403, "This file may not be read."},
    {"file_failed", 500, "This file cannot be read."},
    {"client_gone", 460, "The client closed the connection."},
    {"no_target", 503, "No server is available for this request."},
    {"targets_full", 503, "Every server for this request is at its limit."},
    {"connect_refused", 502, "The server for this request refused the connection."},
    {"connect_timeout", 504, "The server for this request did not accept the connection in time."},
    {"connect_failed", 502, "The server for this request cannot be reached."},
    {"target_tls", 502, "The server for this request could not be reached securely."},
    {"target_closed", 502, "The server for this request closed the connection without an answer."},
    {"target_reset", 502, "The server for this request cut the connection."},
    {"target_timeout", 504, "The server for this request did not answer in time."},
    {"target_malformed", 502, "The answer of the server is not valid HTTP."},
    {"packet_too_small", 431, "The headers of the request are larger than the server for it takes."},
    {"body_cut", 0, "The answer of the server broke off."},
    {"body_timeout", 0, "The answer of the server stopped."},
    {"stopped", 503, "The service is stopping."},
    {"overloaded", 503, "The service has too many connections."},
    {"proxy_untrusted", 0, "This address only serves the balancers in front of it."},
    {"proxy_malformed", 0, "The connection did not begin with a valid PROXY header."},
    {"proxy_timeout", 0, "The PROXY header did not arrive in time."},
    {"not_tls", 0, "The client does not speak TLS."},
    {"hello_malformed", 0, "The client's hello is not valid TLS."},
    {"hello_timeout", 0, "The client's hello did not arrive in time."},
    {"name_refused", 0, "No server has the name that the client asks for."},
    {"flow_evicted", 0, "There were too many clients."},
    {"auth_required", 401, "Say who you are."},
    {"auth_refused", 401, "This user, password or token is not accepted."},
    {"auth_forbidden", 403, "You are not allowed this."},
    {"auth_denied", 0, "The service that was asked did not let the request pass."},
    {"auth_unavailable", 503, "Who you are cannot be checked at the moment."},
    {"auth_overloaded", 503, "Too many users are being checked at the moment."},
    {"cors_refused", 403, "Pages of this origin may not use this service."},
    {"rate_limited", 429, "There were too many requests; come back later."},
    {"address_denied", 403, "Your address may not use this service."},
    {"address_full", 429, "Your address has too many connections."},
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

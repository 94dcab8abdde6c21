// What a balancer has to know of gRPC over HTTP/2: a call is told by its content type, carries its own deadline, and is
// answered with a grpc-status, also where the answer is ours.
//
// Source: gRPC over HTTP/2 (PROTOCOL-HTTP2.md) and its mapping of HTTP statuses, of the grpc project. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "io/deadline.h"
#include "traffic/reason.h"
#include "wire/grpc/status.h"
#include "wire/http/message.h"

namespace ballast::traffic {

// "application/grpc", with a suffix ("+proto") or parameters; not grpc-web, which is ordinary HTTP.
bool is_grpc(const http::RequestHead& head);

// The value of grpc-timeout: at most eight digits and a unit, "250m" for 250 ms. A call of less than a millisecond has
// one.
std::optional<io::Duration> grpc_timeout(Bytes value);

// The status that a call is refused with; `status` is what other requests would get.
grpc::Status grpc_status_of(Reason reason, int status);

// That a response's head tells: its grpc-status, or what clients take another HTTP status than 200 for. nullopt: the
// trailers will tell.
std::optional<grpc::Status> status_of_head(const http::ResponseHead& head);

// Of a call that ended without one.
grpc::Status status_of_call(Reason reason, int status);

// How much later the target wants to be asked again (grpc-retry-pushback-ms); nullopt: it does not want it at all.
std::optional<io::Duration> retry_pushback(const http::ResponseHead& head);

// As a grpc-message may be sent: printable, the rest percent-encoded.
std::string grpc_message(Bytes text);

}  // namespace ballast::traffic

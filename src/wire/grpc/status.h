// The statuses of gRPC calls, as the grpc project numbers and names them. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace ballast::grpc {

enum class Status : int {
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};
inline constexpr int status_count = 17;

std::string_view to_string(Status status);  // "UNAVAILABLE"
// Of a grpc-status field; Unknown for a number that has no name, as clients take it, and for what is no number.
Status status_of(Bytes value);
// The grpc-status among trailer fields, which are lines; nullopt: there is none.
std::optional<Status> status_in_trailers(Bytes lines);

}  // namespace ballast::grpc

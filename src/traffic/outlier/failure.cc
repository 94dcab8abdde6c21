#include "traffic/outlier/failure.h"

#include <fmt/format.h>

namespace ballast::traffic::outlier {
namespace {

// A Reason is below, an HTTP status between, a call's status above.
constexpr Failure first_status = 400;
constexpr Failure first_call_status = 1000;
static_assert(reason_count < first_status);

std::string_view words_of_reason(Reason reason) {
  switch (reason) {
    case Reason::ConnectRefused:
      return "connection refused";
    case Reason::ConnectTimeout:
      return "no connection in time";
    case Reason::ConnectFailed:
      return "no connection";
    case Reason::TargetTls:
      return "no TLS";
    case Reason::TargetClosed:
      return "closed without an answer";
    case Reason::TargetReset:
      return "cut without an answer";
    case Reason::TargetTimeout:
      return "no answer in time";
    case Reason::TargetMalformed:
      return "no valid HTTP";
    default:
      return "not known";
  }
}

}  // namespace

Answer answer_of(int status) {
  if (status == 502 || status == 503 || status == 504) return Answer::Gateway;
  return status >= 500 ? Answer::ServerError : Answer::Good;
}

Answer answer_of(grpc::Status status) {
  switch (status) {
    case grpc::Status::Unavailable:
      return Answer::Gateway;
    case grpc::Status::Unknown:
    case grpc::Status::Internal:
    case grpc::Status::DataLoss:
      return Answer::ServerError;
    default:
      return Answer::Good;
  }
}

bool is_of_target(Reason reason) {
  return words_of_reason(reason) != words_of_reason(Reason::None);
}

bool is_of_this_machine(Code code) {
  return code == Code::Exhausted || code == Code::InUse || code == Code::Cancelled;
}

Failure failure_of(Reason reason) {
  return static_cast<Failure>(reason);
}
Failure failure_of(int status) {
  return static_cast<Failure>(status);
}
Failure failure_of(grpc::Status status) {
  return first_call_status + static_cast<Failure>(status);
}

std::string words_of(Failure failure) {
  if (failure < first_status) return std::string(words_of_reason(static_cast<Reason>(failure)));
  if (failure < first_call_status) return fmt::format("answered {}", failure);
  return fmt::format("answered {}", grpc::to_string(static_cast<grpc::Status>(failure - first_call_status)));
}

}  // namespace ballast::traffic::outlier

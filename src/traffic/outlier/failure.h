// What counts against a target, and what that is called: which answers are failures, which reasons an attempt without
// an answer can have that are the target's own, and the last of them as a number that a cell can hold.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "traffic/reason.h"
#include "wire/grpc/status.h"

namespace ballast::traffic::outlier {

// Gateway: 502, 503, 504, and calls that end with UNAVAILABLE: as good as no answer. ServerError: any other status from
// 500 on, and calls that end with UNKNOWN, INTERNAL or DATA_LOSS: the application's affair, unless its peers do better.
enum class Answer : std::uint8_t { Good, ServerError, Gateway };
Answer answer_of(int status);
Answer answer_of(grpc::Status status);

// Whether an attempt that got no answer for this reason speaks against the target.
bool is_of_target(Reason reason);
// Whether a connection that could not be made for this reason says nothing of the target: it is this machine that
// lacks descriptors or ports, or the attempt was called off.
bool is_of_this_machine(Code code);

// For OutcomeCell::last_failure.
using Failure = std::uint64_t;
Failure failure_of(Reason reason);
Failure failure_of(int status);
Failure failure_of(grpc::Status status);
std::string words_of(Failure failure);  // "connection refused", "answered 503"; for 0: "not known"

}  // namespace ballast::traffic::outlier

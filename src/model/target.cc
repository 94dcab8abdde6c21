#include "model/target.h"

namespace ballast::model {

std::string_view to_string(TargetState state) {
  switch (state) {
    case TargetState::Initial:
      return "initial";
    case TargetState::Healthy:
      return "healthy";
    case TargetState::Unhealthy:
      return "unhealthy";
    case TargetState::Draining:
      return "draining";
    case TargetState::Unused:
      return "unused";
    case TargetState::Unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view to_string(TargetReason reason) {
  switch (reason) {
    case TargetReason::InitialChecking:
      return "Target.InitialHealthChecking";
    case TargetReason::Passed:
      return "Target.Passed";
    case TargetReason::ChecksDisabled:
      return "Target.ChecksDisabled";
    case TargetReason::ConnectFailed:
      return "Target.ConnectFailed";
    case TargetReason::ResponseCodeMismatch:
      return "Target.ResponseCodeMismatch";
    case TargetReason::TimedOut:
      return "Target.Timeout";
    case TargetReason::BadResponse:
      return "Target.BadResponse";
    case TargetReason::TlsFailed:
      return "Target.TlsFailed";
    case TargetReason::NameNotResolved:
      return "Target.NameNotResolved";
    case TargetReason::Deregistration:
      return "Target.DeregistrationInProgress";
    case TargetReason::DrainedByOperator:
      return "Target.DrainedByOperator";
    case TargetReason::NoRoute:
      return "Target.NotInUse";
    case TargetReason::WeightZero:
      return "Target.WeightZero";
    case TargetReason::BehindPeers:
      return "Target.BehindPeers";
    case TargetReason::Stalled:
      return "Target.Stalled";
    case TargetReason::CommandFailed:
      return "Target.CommandFailed";
    case TargetReason::NotServing:
      return "Target.NotServing";
    case TargetReason::Ejected:
      return "Target.Ejected";
  }
  return "Target.Unknown";
}

}  // namespace ballast::model

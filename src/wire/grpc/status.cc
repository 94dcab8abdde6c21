#include "wire/grpc/status.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/http/list.h"

namespace ballast::grpc {
namespace {

constexpr std::array<std::string_view, status_count> names{
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

}  // namespace

std::string_view to_string(Status status) {
  return names[static_cast<std::size_t>(status)];
}

Status status_of(Bytes value) {
  int number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool known =
      failure == std::errc() && end == value.data() + value.size() && number >= 0 && number < status_count;
  return known ? static_cast<Status>(number) : Status::Unknown;
}

std::optional<Status> status_in_trailers(Bytes lines) {
  constexpr Bytes name = "grpc-status";
  while (!lines.empty()) {
    const Bytes line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    const std::size_t colon = line.find(':');
    if (colon == Bytes::npos || !http::iequals(line.substr(0, colon), name)) continue;
    Bytes value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    return status_of(value);
  }
  return std::nullopt;
}

}  // namespace ballast::grpc

#include "traffic/l7/grpc.h"

#include <algorithm>

#include <fmt/format.h>

#include "wire/http/list.h"
#include "wire/http/octets.h"

namespace ballast::traffic {
bool is_grpc(const http::RequestHead& head) {
  constexpr Bytes type = "application/grpc";
  const Bytes value = head.fields.value_or_empty(http::HeaderId::ContentType);
  if (value.size() < type.size() || !http::iequals(value.substr(0, type.size()), type)) return false;
  return value.size() == type.size() || value[type.size()] == '+' || value[type.size()] == ';';
}

std::optional<io::Duration> grpc_timeout(Bytes value) {
  using namespace std::chrono;
  constexpr std::size_t digits_max = 8;
  if (value.size() < 2 || value.size() > digits_max + 1) return std::nullopt;
  const Bytes digits = value.substr(0, value.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), http::is_digit)) return std::nullopt;
  std::int64_t count = 0;
  for (const char digit : digits) count = count * 10 + (digit - '0');
  // Eight digits of hours are eleven thousand years: more than the clock counts, and than anybody waits.
  constexpr auto longest = hours(24 * 365);
  nanoseconds time{};
  switch (value.back()) {
    case 'H':
      time = std::min<nanoseconds>(hours(std::min<std::int64_t>(count, longest.count())), longest);
      break;
    case 'M':
      time = std::min<nanoseconds>(minutes(count), longest);
      break;
    case 'S':
      time = std::min<nanoseconds>(seconds(count), longest);
      break;
    case 'm':
      time = milliseconds(count);
      break;
    case 'u':
      time = microseconds(count);
      break;
    case 'n':
      time = nanoseconds(count);
      break;
    default:
      return std::nullopt;
  }
  return std::max<nanoseconds>(time, milliseconds(1));
}

grpc::Status grpc_status_of(Reason reason, int status) {
  switch (reason) {
    case Reason::TargetTimeout:
    case Reason::ConnectTimeout:
    case Reason::RequestTimeout:
    case Reason::RequestTooSlow:
      return grpc::Status::DeadlineExceeded;
    case Reason::RequestTooLarge:
    case Reason::PacketTooSmall:
    case Reason::RateLimited:
      return grpc::Status::ResourceExhausted;
    case Reason::TargetMalformed:
      return grpc::Status::Internal;
    default:
      break;
  }
  switch (status) {
    case 400:
    case 431:
      return grpc::Status::Internal;
    case 401:
      return grpc::Status::Unauthenticated;
    case 403:
      return grpc::Status::PermissionDenied;
    case 404:
    case 405:
      return grpc::Status::Unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return grpc::Status::Unavailable;
    default:
      return grpc::Status::Unknown;
  }
}

std::optional<grpc::Status> status_of_head(const http::ResponseHead& head) {
  if (const http::Field* field = head.fields.find(Bytes("grpc-status")); field != nullptr) {
    return grpc::status_of(head.fields.value(*field));
  }
  if (head.status == 200) return std::nullopt;
  return grpc_status_of(Reason::None, head.status);
}

grpc::Status status_of_call(Reason reason, int status) {
  if (reason == Reason::ClientGone) return grpc::Status::Cancelled;
  if (status == 0 || status == 200) return grpc::Status::Unknown;
  return grpc_status_of(Reason::None, status);
}

std::optional<io::Duration> retry_pushback(const http::ResponseHead& head) {
  constexpr std::size_t digits_max = 9;  // eleven days: longer than any call waits
  const http::Field* field = head.fields.find(Bytes("grpc-retry-pushback-ms"));
  if (field == nullptr) return io::Duration(0);
  const Bytes value = head.fields.value(*field);
  if (value.empty() || value.size() > digits_max || !std::ranges::all_of(value, http::is_digit)) return std::nullopt;
  std::int64_t ms = 0;
  for (const char digit : value) ms = ms * 10 + (digit - '0');
  return std::chrono::milliseconds(ms);
}

std::string grpc_message(Bytes text) {
  std::string message;
  for (const char byte : text) {
    if (byte >= ' ' && byte <= '~' && byte != '%') {
      message += byte;
    } else {
      message += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return message;
}

}  // namespace ballast::traffic

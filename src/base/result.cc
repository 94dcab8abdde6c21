#include "base/result.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace ballast {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::Closed:
      return "the peer closed the connection";
    case Code::Reset:
      return "the connection was reset";
    case Code::Refused:
      return "connection refused";
    case Code::Unreachable:
      return "unreachable";
    case Code::TimedOut:
      return "timed out";
    case Code::Cancelled:
      return "cancelled";
    case Code::Malformed:
      return "malformed";
    case Code::TooLarge:
      return "too large";
    case Code::InUse:
      return "address in use";
    case Code::Denied:
      return "permission denied";
    case Code::NotFound:
      return "not found";
    case Code::Exhausted:
      return "out of a resource";
    case Code::Invalid:
      return "invalid";
    case Code::Unsupported:
      return "not supported";
    case Code::System:
      return "system error";
  }
  return "unknown error";
}

Error::Error(Code code, std::string text) : text_(std::make_shared<const std::string>(std::move(text))), code_(code) {}

Code Error::code_of_errno(int error_number) {
  switch (error_number) {
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return Code::Reset;
    case ECONNREFUSED:
      return Code::Refused;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return Code::Unreachable;
    case ETIMEDOUT:
      return Code::TimedOut;
    case ECANCELED:
      return Code::Cancelled;
    case EADDRINUSE:
      return Code::InUse;
    case EACCES:
    case EPERM:
      return Code::Denied;
    case ENOENT:
      return Code::NotFound;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case EADDRNOTAVAIL:
      return Code::Exhausted;
    case EINVAL:
      return Code::Invalid;
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
      return Code::Unsupported;
    default:
      return Code::System;
  }
}

Error Error::from_errno(int error_number, std::string_view what) {
  char buffer[128];
  const char* words = strerror_r(error_number, buffer, sizeof buffer);
  return Error(code_of_errno(error_number), fmt::format("{}: {}", what, words));
}

std::string Error::text() const {
  return text_ ? *text_ : std::string(to_string(code_));
}

Error&& Error::within(std::string_view context) && {
  text_ = std::make_shared<const std::string>(fmt::format("{}: {}", context, text()));
  return std::move(*this);
}

}  // namespace ballast

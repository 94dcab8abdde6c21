// Result<T>: a value, or an Error that knows its code, whose side it came from, whether a retry is safe, and its text.
//
// An Error is one pointer and three bytes: one without text allocates nothing, so the data plane can make them freely.
// Texts are for the operator: what was tried, on what, what happened, what to do.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ballast {

enum class Code : std::uint8_t {
  Closed,       // the peer ended its side in order (end of stream) where more was needed
  Reset,        // the peer, or the network, cut the connection
  Refused,      // nobody listens there
  Unreachable,  // no route, host or network down
  TimedOut,     // the Deadline passed
  Cancelled,    // our own Scope is closing, or the wait was called off
  Malformed,    // the peer's bytes break the protocol
  TooLarge,     // a limit was exceeded
  InUse,        // the address is taken
  Denied,       // permission denied
  NotFound,     // no such file, name, target or group
  Exhausted,    // descriptors, memory, ports or a bound of ours
  Invalid,      // an argument or a configuration that cannot be
  Unsupported,  // understood, and not offered
  System,       // any other error of the operating system
};

// Whose side an error came from.
enum class Side : std::uint8_t { Self, Client, Upstream };

// Whether what failed may be sent again.
enum class Retry : std::uint8_t {
  Never,     // it may have been acted upon
  IfReused,  // safe when the connection had served before: the peer closed it as we reused it
  Always,    // nothing was sent
};

std::string_view to_string(Code code);

class [[nodiscard]] Error {
 public:
  explicit Error(Code code, Side side = Side::Self, Retry retry = Retry::Never)
      : code_(code), side_(side), retry_(retry) {}
  Error(Code code, std::string text);

  // From errno of a system call: `what` says what was tried and on what ("bind 0.0.0.0:80").
  static Error from_errno(int error_number, std::string_view what);
  // The Code alone, without text; for the data plane.
  static Code code_of_errno(int error_number);

  Code code() const { return code_; }
  Side side() const { return side_; }
  Retry retry() const { return retry_; }
  // Never empty: the text, or the code in words.
  std::string text() const;

  Error&& on(Side side) && {
    side_ = side;
    return std::move(*this);
  }
  Error&& safe_to_retry(Retry retry) && {
    retry_ = retry;
    return std::move(*this);
  }
  // Puts "context: " before the text.
  Error&& within(std::string_view context) &&;

 private:
  std::shared_ptr<const std::string> text_;
  Code code_;
  Side side_ = Side::Self;
  Retry retry_ = Retry::Never;
};

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}
inline std::unexpected<Error> fail(Code code) {
  return std::unexpected<Error>(Error(code));
}
inline std::unexpected<Error> fail(Code code, std::string text) {
  return std::unexpected<Error>(Error(code, std::move(text)));
}

}  // namespace ballast

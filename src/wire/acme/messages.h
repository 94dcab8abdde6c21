// What an authority answers (RFC 8555 7.1): its directory, orders, authorizations with their challenges, and problem
// documents (RFC 7807).
//
// Values, read from JSON of a stranger: every text is bounded, tokens have the alphabet they must have, and words that
// are shown to an operator carry no control characters. What is unknown is passed over. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ballast::acme {

// An order of a hundred names has some 20 KiB.
inline constexpr std::size_t message_bytes_max = 256 * kib;

enum class Status : std::uint8_t { Unknown, Pending, Processing, Ready, Valid, Invalid, Deactivated, Expired, Revoked };

struct Problem {
  std::string type;  // "urn:ietf:params:acme:error:rateLimited"
  std::string detail;
  // "rateLimited: too many certificates; www.example.com: ..."
  std::string text() const;
  bool is(std::string_view short_type) const;  // "rateLimited"
  std::vector<std::string> parts;              // of its subproblems, ready to be shown
};

struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string terms_of_service;  // empty: none are told
  bool wants_external_account = false;
};

struct Order {
  Status status = Status::Unknown;
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // empty: not there yet
  std::optional<Problem> problem;
};

struct Challenge {
  std::string type;  // "http-01"
  std::string url;
  std::string token;
  Status status = Status::Unknown;
  std::optional<Problem> problem;
};

struct Authorization {
  std::string name;
  Status status = Status::Unknown;
  std::vector<Challenge> challenges;  // those that can be answered: with a URL and a token
};

Result<Directory> parse_directory(Bytes text);
Result<Order> parse_order(Bytes text);
Result<Authorization> parse_authorization(Bytes text);
// Never fails: where it is no problem document the text itself is cropped and shown.
Problem parse_problem(Bytes text);

}  // namespace ballast::acme

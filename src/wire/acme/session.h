// Session: signed requests to one authority (RFC 8555 6): its directory, the nonces, and what goes wrong in words.
//
// A request whose nonce was refused is sent again with the new one (6.5), a few times. Every answer is bounded in size
// and every call in time. Errors name the URL and carry the authority's own words; refusal() has their type, and when
// it says to come again. One thread: the Loop's. Lives within one attempt.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "io/deadline.h"
#include "io/task.h"
#include "wire/acme/account_key.h"
#include "wire/acme/messages.h"
#include "wire/http/fetch.h"
#include "wire/tls/client_context.h"

namespace ballast::io {
class Loop;
class Resolver;
}  // namespace ballast::io

namespace ballast::acme {

struct Answer {
  int status = 0;
  std::string body;
  std::string location;
  std::optional<std::chrono::seconds> retry_after;
};

// Retry-After (RFC 9110 10.2.3): seconds, or a date seen from `now`; bounded to a week.
std::optional<std::chrono::seconds> parse_retry_after(Bytes text, std::chrono::system_clock::time_point now);

class Session {
 public:
  struct Context {
    io::Loop& loop;
    io::Resolver& resolver;
    std::shared_ptr<const tls::ClientContext> tls;
    std::string directory_url;
  };
  Session(Context context, const AccountKey& key) : context_(std::move(context)), key_(key) {}
  Session(const Session&) = delete;

  // First, once.
  io::Task<Result<>> open(io::Deadline deadline);
  const Directory& directory() const { return directory_; }
  const AccountKey& key() const { return key_; }
  io::Loop& loop() const { return context_.loop; }

  // The account's URL; from then on requests are signed as its.
  void use_account(std::string url) { account_ = std::move(url); }
  const std::string& account() const { return account_; }

  // An empty payload is POST-as-GET (6.3). Any answer but 2xx is an Error.
  io::Task<Result<Answer>> post(std::string url, std::string payload, io::Deadline deadline);

  struct Refusal {
    Problem problem;
    int status = 0;
    std::optional<std::chrono::seconds> retry_after;
  };
  // Of the last request; none: it was not the authority that refused.
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  io::Task<Result<http::FetchResponse>> fetch(http::FetchRequest request, const std::string& url,
                                              io::Deadline deadline);
  io::Task<Result<>> take_nonce(io::Deadline deadline);

  Context context_;
  const AccountKey& key_;
  Directory directory_;
  std::string account_;
  std::string nonce_;
  std::optional<Refusal> refusal_;
};

}  // namespace ballast::acme

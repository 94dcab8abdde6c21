// CorsPolicy: the compiled `cors` of a rule: which origins may read its responses, and the headers that say so.
//
// The CORS protocol of the Fetch standard (fetch.spec.whatwg.org, 3.3). What is written into a response are views: of
// the policy, which lives as long as the Plan, and of the request. Part of the Plan: immutable, any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/settings.h"
#include "traffic/balance/hash.h"
#include "wire/http/message.h"
#include "wire/http/outgoing.h"

namespace ballast::traffic {

class CorsPolicy {
 public:
  // nullptr where it is off.
  static std::shared_ptr<const CorsPolicy> compile(const config::Cors& settings);

  // Whether a browser asks before it sends the request itself.
  static bool is_preflight(const http::RequestHead& request);
  // Of "https://app.example.com", as the request's only Origin says.
  bool allows(Bytes origin) const;
  // Whether the request names an origin, neither allowed nor its own host, and such are refused.
  bool refuses(const http::RequestHead& request) const;

  // What goes into a response, in the place of what a target says of it.
  void write(const http::RequestHead& request, std::vector<http::FieldLine>& lines) const;
  // The answer to a preflight, beside that.
  void write_preflight(const http::RequestHead& request, std::vector<http::FieldLine>& lines) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash_bytes(HashPurpose::Table, text); }
  };
  struct Wildcard {
    std::string before;  // "https://"
    std::string after;   // ".example.com"
  };
  explicit CorsPolicy(const config::Cors& settings);

  bool any_origin_ = false;
  bool any_method_ = false;
  bool any_header_ = false;
  bool credentials_ = false;
  bool private_network_ = false;
  bool refuse_ = false;
  std::unordered_set<std::string, Hash, std::equal_to<>> origins_;
  std::vector<Wildcard> wildcards_;
  std::string methods_;
  std::string headers_;
  std::string expose_;
  std::string max_age_;
};

}  // namespace ballast::traffic

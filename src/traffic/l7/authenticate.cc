// Who sends this request? Asked after its route is known and before anything is done with it.
#include <fmt/format.h>

#include "io/loop.h"
#include "io/system.h"
#include "traffic/auth/basic.h"
#include "traffic/auth/guard.h"
#include "traffic/auth/password_pool.h"
#include "traffic/auth/token.h"
#include "traffic/l7/cookie.h"
#include "traffic/l7/exchange.h"
#include "wire/http/list.h"

namespace ballast::traffic {
namespace {

// The only one of that name; nullptr where there is none. Two of them would be read differently by different servers.
struct OnlyField {
  const http::Field* field = nullptr;
  bool is_repeated = false;
};
OnlyField only_field(const http::Fields& fields, Bytes name) {
  OnlyField only;
  for (const http::Field& field : fields) {
    if (!auth::is_same_header(fields.name(field), name)) continue;
    if (only.field != nullptr) only.is_repeated = true;
    only.field = &field;
  }
  return only;
}

}  // namespace

const auth::Guard* Exchange::guard() const {
  const auth::Guards& guards = listener_->guards;
  return guards.empty() ? nullptr : guards[route_->index].get();
}

io::Task<std::optional<After>> Exchange::authenticate(const auth::Guard& guard) {
  state_->guarded_headers = guard.headers;
  Reason reason = Reason::None;
  if (const auto* basic = std::get_if<auth::BasicGuard>(&guard.how)) {
    reason = co_await authenticate_basic(*basic);
  } else if (const auto* jwt = std::get_if<auth::JwtGuard>(&guard.how)) {
    reason = authenticate_token(*jwt);
  } else {
    co_return co_await authenticate_elsewhere(std::get<auth::ForwardGuard>(guard.how));
  }
  if (reason == Reason::None) co_return std::nullopt;
  co_return co_await refuse(reason);
}

io::Task<Reason> Exchange::authenticate_basic(const auth::BasicGuard& guard) {
  // As long as the queue's end may take; a client that waits longer has mostly gone.
  constexpr auto patience = std::chrono::seconds(10);
  state_->challenge = fmt::format("Basic realm=\"{}\", charset=\"UTF-8\"", guard.realm);
  const http::Fields& fields = state_->request.fields;
  const OnlyField given = only_field(fields, "Authorization");
  if (given.field == nullptr) co_return Reason::AuthRequired;
  auto credentials = auth::parse_basic(fields.value(*given.field));
  if (!credentials || given.is_repeated) {
    state_->trouble = given.is_repeated ? "there are several Authorization headers"
                                        : "the Authorization header is no user and password (Basic)";
    co_return Reason::AuthRefused;
  }

  std::string user = credentials->user;
  const auto known = guard.users->hash_of.find(user);
  const bool is_known = known != guard.users->hash_of.end();
  auth::PasswordDoor::Question question{.hash = is_known ? known->second : guard.nobody,
                                        .credentials = std::move(*credentials),
                                        .is_known_user = is_known};
  const auth::PasswordVerdict verdict = co_await worker_.passwords().ask(std::move(question), loop_.after(patience));
  switch (verdict) {
    case auth::PasswordVerdict::Right:
      break;
    case auth::PasswordVerdict::Wrong:
      state_->trouble = "the user is not known, or the password is wrong";
      co_return Reason::AuthRefused;
    case auth::PasswordVerdict::Busy:
      co_return Reason::AuthOverloaded;
    case auth::PasswordVerdict::Cancelled:
      co_return client_.was_cut() ? Reason::ClientGone : Reason::Stopped;
  }
  if (!guard.header.empty()) state_->granted.push_back({guard.header, user});
  state_->user = std::move(user);
  co_return Reason::None;
}

Reason Exchange::authenticate_token(const auth::JwtGuard& guard) {
  state_->challenge = fmt::format("Bearer realm=\"{}\"", guard.realm);
  const http::Fields& fields = state_->request.fields;
  std::optional<Bytes> token;
  bool is_repeated = false;
  if (!guard.cookie.empty()) {
    token = cookie_value(fields, guard.cookie);
  } else if (const OnlyField given = only_field(fields, "Authorization"); given.field != nullptr) {
    token = auth::parse_bearer(fields.value(*given.field));
    is_repeated = given.is_repeated;
  }
  if (!token) return Reason::AuthRequired;
  if (guard.keys == nullptr) {
    state_->trouble = "no keys for tokens have come yet";
    return Reason::AuthUnavailable;
  }
  auto said = is_repeated
                  ? std::expected<auth::TokenClaims, auth::TokenFault>(std::unexpected(auth::TokenFault::Malformed))
                  : auth::verify(*token, *guard.keys, guard.policy, io::now_wall());
  if (said) {
    state_->user = std::move(said->user);
    state_->granted = std::move(said->headers);
    return Reason::None;
  }
  const auth::TokenFault fault = said.error();
  if (fault == auth::TokenFault::UnknownKey && guard.wish != nullptr) guard.wish->want();
  const bool is_believed = fault == auth::TokenFault::MissingClaim;
  state_->auth_fault = to_string(fault);
  // RFC 6750 3.1.
  state_->challenge += fmt::format(", error=\"{}\", error_description=\"{}\"",
                                   is_believed ? "insufficient_scope" : "invalid_token", explain(fault));
  return is_believed ? Reason::AuthForbidden : Reason::AuthRefused;
}

io::Task<std::optional<After>> Exchange::authenticate_elsewhere(const auth::ForwardGuard& guard) {
  const config::ForwardAuth& settings = guard.settings;
  auto asked = co_await ask_service(guard);
  if (!asked) {
    if (client_.was_cut()) co_return co_await refuse(Reason::ClientGone);
    if (client_.called_off()) co_return co_await refuse(Reason::Stopped);
    state_->trouble = fmt::format("the service of target group \"{}\" was asked: {}",
                                  plan_->groups[guard.group_index]->settings->name, asked.error().text());
    co_return co_await refuse(Reason::AuthUnavailable);
  }
  const ServiceAnswer& answer = *asked;
  if (answer.status < 200 || answer.status > 299) {
    state_->facts.reason = Reason::AuthDenied;
    state_->trouble = fmt::format("the service of target group \"{}\" answered {}",
                                  plan_->groups[guard.group_index]->settings->name, answer.status);
    std::vector<http::FieldLine> lines;
    for (const auth::HeaderValue& header : answer.headers) lines.push_back({header.name, header.value});
    co_return co_await answer_own({.status = answer.status, .body = answer.body, .lines = lines});
  }
  for (const auth::HeaderValue& header : answer.headers) {
    if (!settings.user_header.empty() && http::iequals(header.name, settings.user_header)) {
      state_->user = header.value;
    }
    for (const std::string& wanted : settings.response_headers) {
      if (http::iequals(header.name, wanted)) state_->granted.push_back({wanted, header.value});
    }
  }
  co_return std::nullopt;
}

}  // namespace ballast::traffic

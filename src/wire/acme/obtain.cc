#include "wire/acme/obtain.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "io/loop.h"

namespace ballast::acme {
namespace {

using nlohmann::json;

// How often one thing is asked about; with the waits between them longer than any deadline that is given.
constexpr int polls_max = 100;

std::string_view to_string(ChallengeKind kind) {
  return kind == ChallengeKind::Http01 ? "http-01" : "tls-alpn-01";
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Between two polls: what the authority asks for, or longer each time.
io::Task<Result<>> pause(Session& session, int poll, std::optional<std::chrono::seconds> retry_after,
                         io::Deadline deadline) {
  constexpr std::chrono::milliseconds first{250};
  constexpr std::chrono::milliseconds longest{5'000};
  constexpr std::chrono::seconds asked_longest{60};
  io::Duration wait = std::min<io::Duration>(longest, first * (1 << std::min(poll, 6)));
  if (retry_after.has_value()) wait = std::clamp<io::Duration>(*retry_after, first, asked_longest);
  const io::Deadline until = io::Deadline::at(session.loop().fresh_now() + wait);
  if (until.instant() >= deadline.instant()) co_return fail(Code::TimedOut);
  if (!co_await io::Sleep(until)) co_return fail(Code::Cancelled);
  co_return Result<>();
}

io::Task<Result<>> register_account(Session& session, const Wanted& wanted, io::Deadline deadline) {
  if (session.directory().wants_external_account && !wanted.external_account.has_value()) {
    co_return fail(Code::Invalid,
                   "this authority gives accounts only to customers of its own: write acme: external_account: "
                   "{ key_id: ..., hmac_key_file: ... } with what it has given you");
  }
  session.use_account({});
  json payload{{"termsOfServiceAgreed", true}};
  if (!wanted.contact.empty()) payload["contact"] = json::array({wanted.contact});
  const std::string url = session.directory().new_account;
  if (wanted.external_account.has_value()) {
    payload["externalAccountBinding"] = json::parse(bind_account(*wanted.external_account, session.key(), url));
  }
  Answer answer = co_await io::need(session.post(url, dump(payload), deadline));
  if (answer.location.empty()) co_return fail(Code::Malformed, "the new account has no URL");
  session.use_account(std::move(answer.location));
  co_return Result<>();
}

struct OrderAt {
  std::string url;
  Order order;
};

io::Task<Result<OrderAt>> begin_order(Session& session, const Wanted& wanted, io::Deadline deadline) {
  json identifiers = json::array();
  for (const std::string& name : wanted.names) identifiers.push_back({{"type", "dns"}, {"value", name}});
  const json payload{{"identifiers", std::move(identifiers)}};
  const std::string url = session.directory().new_order;
  Result<Answer> answer = co_await session.post(url, dump(payload), deadline);
  // An authority may forget an account, and a new one may stand under the old one's name.
  const auto& refusal = session.refusal();
  if (!answer && refusal.has_value() && refusal->problem.is("accountDoesNotExist")) {
    co_await io::need(register_account(session, wanted, deadline));
    answer = co_await session.post(url, dump(payload), deadline);
  }
  if (!answer) co_return fail(std::move(answer.error()));
  Result<Order> order = parse_order(answer->body);
  if (!order) co_return fail(std::move(order.error()));
  if (answer->location.empty()) co_return fail(Code::Malformed, "the new order has no URL");
  co_return OrderAt{.url = std::move(answer->location), .order = std::move(*order)};
}

struct Asked {
  std::string url;
  Authorization authorization;
  Challenge challenge;
};

io::Task<Result<std::vector<Asked>>> find_challenges(Session& session, const Order& order, const Wanted& wanted,
                                                     io::Deadline deadline) {
  std::vector<Asked> asked;
  for (const std::string& url : order.authorizations) {
    const Answer answer = co_await io::need(session.post(url, {}, deadline));
    Result<Authorization> authorization = parse_authorization(answer.body);
    if (!authorization) co_return fail(std::move(authorization.error()));
    if (authorization->status == Status::Valid) continue;
    // What is shown is shown under this name: an authority is answered for what it was asked for.
    if (std::ranges::find(wanted.names, authorization->name) == wanted.names.end()) {
      co_return fail(Code::Malformed,
                     fmt::format("it wants {} proved, which the order is not for", authorization->name));
    }
    const auto found = std::ranges::find(authorization->challenges, to_string(wanted.challenge),
                                         [](const Challenge& each) { return std::string_view(each.type); });
    if (found == authorization->challenges.end()) {
      co_return fail(Code::Unsupported, fmt::format("the authority offers no {} for {}; set acme: challenge to another",
                                                    to_string(wanted.challenge), authorization->name));
    }
    asked.push_back({.url = url, .authorization = *authorization, .challenge = *found});
  }
  co_return std::move(asked);
}

std::string why_not(const Authorization& authorization, ChallengeKind kind) {
  for (const Challenge& each : authorization.challenges) {
    if (each.problem.has_value()) return each.problem->text();
  }
  return fmt::format("no reason is given; can it reach this machine for {}?", to_string(kind));
}

io::Task<Result<>> await_authorization(Session& session, const Asked& asked, ChallengeKind kind,
                                       io::Deadline deadline) {
  for (int poll = 0; poll < polls_max; ++poll) {
    const Answer answer = co_await io::need(session.post(asked.url, {}, deadline));
    Result<Authorization> now = parse_authorization(answer.body);
    if (!now) co_return fail(std::move(now.error()));
    if (now->status == Status::Valid) co_return Result<>();
    if (now->status != Status::Pending) {
      co_return fail(Code::Invalid, fmt::format("it could not verify {} by {}: {}", asked.authorization.name,
                                                to_string(kind), why_not(*now, kind)));
    }
    const Result<> paused = co_await pause(session, poll, answer.retry_after, deadline);
    if (!paused) {
      co_return fail(paused.error().code(),
                     fmt::format("it has not verified {} by {} in time", asked.authorization.name, to_string(kind)));
    }
  }
  co_return fail(Code::TimedOut, fmt::format("it does not decide about {}", asked.authorization.name));
}

// Shown as long as this lives.
class Shown {
 public:
  explicit Shown(const ShowChallenges& show) : show_(show) {}
  Shown(const Shown&) = delete;
  ~Shown() { (void)show_({}); }

 private:
  const ShowChallenges& show_;
};

io::Task<Result<>> prove(Session& session, const Order& order, const Wanted& wanted, const ShowChallenges& show,
                         io::Deadline deadline) {
  const std::vector<Asked> asked = co_await io::need(find_challenges(session, order, wanted, deadline));
  if (asked.empty()) co_return Result<>();
  std::vector<PendingChallenge> pending;
  for (const Asked& each : asked) {
    pending.push_back({.kind = wanted.challenge,
                       .name = each.authorization.name,
                       .token = each.challenge.token,
                       .key_authorization = key_authorization(each.challenge.token, session.key())});
  }
  const Shown shown(show);
  if (Result<> ready = show(pending); !ready) co_return fail(std::move(ready.error()));
  for (const Asked& each : asked) {
    if (each.challenge.status == Status::Pending) {
      co_await io::need(session.post(each.challenge.url, "{}", deadline));
    }
  }
  for (const Asked& each : asked) {
    co_await io::need(await_authorization(session, each, wanted.challenge, deadline));
  }
  co_return Result<>();
}

// Until it is neither pending nor in work.
io::Task<Result<Order>> await_order(Session& session, const std::string& url, Status until, io::Deadline deadline) {
  for (int poll = 0; poll < polls_max; ++poll) {
    const Answer answer = co_await io::need(session.post(url, {}, deadline));
    Result<Order> order = parse_order(answer.body);
    if (!order) co_return fail(std::move(order.error()));
    if (order->status == until || order->status == Status::Valid) co_return std::move(*order);
    if (order->status == Status::Invalid) {
      co_return fail(Code::Invalid,
                     fmt::format("the order has failed: {}",
                                 order->problem.has_value() ? order->problem->text() : "no reason given"));
    }
    const Result<> paused = co_await pause(session, poll, answer.retry_after, deadline);
    if (!paused) co_return fail(paused.error().code(), "the order was not worked off in time");
  }
  co_return fail(Code::TimedOut, "the order is not worked off");
}

}  // namespace

io::Task<Result<Obtained>> obtain(Session& session, const Wanted& wanted, const ShowChallenges& show,
                                  io::Deadline deadline) {
  const auto at = [](Error error, std::string_view step) { return fail(std::move(error).within(step)); };
  if (session.account().empty()) {
    const Result<> registered = co_await register_account(session, wanted, deadline);
    if (!registered) co_return at(registered.error(), "account");
  }
  Result<OrderAt> begun = co_await begin_order(session, wanted, deadline);
  if (!begun) co_return at(begun.error(), "order");
  if (begun->order.status == Status::Pending) {
    const Result<> proved = co_await prove(session, begun->order, wanted, show, deadline);
    if (!proved) co_return at(proved.error(), "challenge");
  }
  Result<Order> ready = co_await await_order(session, begun->url, Status::Ready, deadline);
  if (!ready) co_return at(ready.error(), "order");
  if (ready->status == Status::Valid) {
    co_return fail(Code::Malformed, "order: it is valid already, with a key that is not ours");
  }

  Result<SigningRequest> request = make_signing_request(wanted.names, wanted.key);
  if (!request) co_return fail(std::move(request.error()));
  const Result<Answer> finalized =
      co_await session.post(ready->finalize, dump(json{{"csr", encode_base64url(request->der)}}), deadline);
  if (!finalized) co_return at(finalized.error(), "finalize");
  const Result<Order> done = co_await await_order(session, begun->url, Status::Valid, deadline);
  if (!done) co_return at(done.error(), "finalize");
  Result<Answer> chain = co_await session.post(done->certificate, {}, deadline);
  if (!chain) co_return at(chain.error(), "certificate");
  co_return Obtained{.key_pem = std::move(request->key_pem), .chain_pem = std::move(chain->body)};
}

}  // namespace ballast::acme

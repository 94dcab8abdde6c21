#include "traffic/control/acme_keeper.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "config/words.h"
#include "wire/acme/signing_request.h"
#include "wire/http/url.h"
#include "wire/tls/certificate.h"

namespace ballast::traffic {
namespace {

using acme::WallTime;

// One order: an authority that takes longer is given up, and asked again later.
constexpr auto order_time_max = std::chrono::minutes(5);
// The clock may be set, and a file may go away: looked at again within this.
constexpr auto look_interval = std::chrono::minutes(10);

WallTime wall_now() {
  return std::chrono::system_clock::now();
}

std::string day(WallTime when) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(when)));
}

std::string in_words(WallTime::duration time) {
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(time).count();
  if (minutes <= 1) return "a minute";
  if (minutes < 120) return fmt::format("{} minutes", minutes);
  return fmt::format("{} hours", minutes / 60);
}

// For the jitter alone.
double chance() {
  static thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(random);
}

bool has_names(const tls::Certificate& certificate, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(certificate.names, name) != certificate.names.end();
  });
}

std::string_view kind_of(config::AcmeKey key) {
  return key == config::AcmeKey::Rsa ? "RSA" : "EC";
}

Result<tls::Certificate> checked(const std::string& file, const std::string& pem, WallTime now) {
  return tls::check_certificate({.files = {.cert = file, .key = file, .ocsp = {}}, .cert_pem = pem, .key_pem = pem},
                                now);
}

}  // namespace

// A set of names.
struct AcmeKeeper::Item {
  std::vector<std::string> names;  // as the file has them: the first is what it is called
  std::string file;
  std::optional<io::FileStamp> seen_stamp;
  bool is_seen = false;
  acme::Record record;
  acme::CertificateSeen seen;
  acme::Decision decision;
  bool at_work = false;
  std::uint64_t obtained = 0;
  std::uint64_t failed = 0;

  const std::string& name() const { return names.front(); }
};

// What an order came to, besides the certificate.
struct AcmeKeeper::Outcome {
  std::string directory;  // that it was made at
  std::optional<std::chrono::seconds> retry_after;
  bool rate_limited = false;
};

AcmeKeeper::AcmeKeeper(Context context) : context_(std::move(context)), scope_(context_.loop) {}
AcmeKeeper::~AcmeKeeper() = default;

Result<AcmeKeeper::Change> AcmeKeeper::prepare(const config::Settings& settings) const {
  if (!settings.acme.has_value()) return Change{};
  if (auto url = http::Url::parse(settings.acme->directory); !url) {
    return fail(std::move(url.error()).within("acme: directory"));
  }
  auto made = tls::load_client_context(settings.acme->ca);
  if (!made) return fail(std::move(made.error()).within("acme"));
  return Change{.tls = std::move(*made)};
}

void AcmeKeeper::commit(Change change, const config::Settings& settings) {
  tls_ = std::move(change.tls);
  settings_ = settings.acme;
  state_directory_ = settings.state_directory;
  std::map<std::vector<std::string>, std::shared_ptr<Item>> wanted;
  for (const config::Listener& listener : settings.listeners) {
    for (const config::CertificateFiles& certificate : listener.certificates) {
      if (certificate.acme.empty()) continue;
      std::vector<std::string> key = certificate.acme;
      std::ranges::sort(key);
      if (wanted.contains(key)) continue;
      const auto known = items_.find(key);
      std::shared_ptr<Item> item = known != items_.end() ? known->second : nullptr;
      if (item == nullptr) {
        item = std::make_shared<Item>();
        item->names = certificate.acme;
        item->file = acme::certificate_file(state_directory_, certificate.acme);
        item->record = acme::load_record(state_directory_, item->names);
      }
      item->is_seen = false;  // the kind of key, or the authority, may be another one now
      wanted.emplace(std::move(key), std::move(item));
    }
  }
  items_ = std::move(wanted);
  if (asleep_ != nullptr) asleep_->interrupt();
}

void AcmeKeeper::start() {
  if (std::exchange(started_, true)) return;
  scope_.spawn(run());
}

io::Task<void> AcmeKeeper::close() {
  co_await scope_.close();
}

io::Task<void> AcmeKeeper::run() {
  io::Strand& strand = co_await io::this_strand();
  while (!strand.cancelled()) {
    const WallTime now = wall_now();
    const std::shared_ptr<Item> item = settings_.has_value() ? first_due(now) : nullptr;
    if (item != nullptr && item->decision.step != acme::Step::Wait) {
      co_await attempt(item);
      continue;
    }
    io::Duration wait = look_interval;
    if (item != nullptr) wait = std::clamp<io::Duration>(item->decision.at - now, std::chrono::milliseconds(1), wait);
    asleep_ = &strand;
    co_await io::Sleep(io::Deadline::at(context_.loop.fresh_now() + wait));
    asleep_ = nullptr;
  }
}

std::shared_ptr<AcmeKeeper::Item> AcmeKeeper::first_due(WallTime now) {
  std::shared_ptr<Item> first;
  for (auto& [names, item] : items_) {
    observe(*item);
    item->decision = acme::decide({.renew_before = settings_->renew_before}, item->seen, now);
    if (first == nullptr || item->decision.at < first->decision.at) first = item;
  }
  return first;
}

void AcmeKeeper::observe(Item& item) const {
  item.seen.attempted = item.record.attempted;
  item.seen.retry_at = item.record.retry_at;
  const Result<io::FileStamp> stamp = io::stamp_of(item.file);
  const std::optional<io::FileStamp> now = stamp ? std::optional(*stamp) : std::nullopt;
  if (item.is_seen && now == item.seen_stamp) return;
  item.is_seen = true;
  item.seen_stamp = now;
  item.seen.held.reset();
  const auto certificate = now.has_value()
                               ? tls::load_certificate({.cert = item.file, .key = item.file, .ocsp = {}}, wall_now())
                               : Result<tls::Certificate>(fail(Code::NotFound));
  if (!certificate) return;
  item.seen.held = acme::HeldCertificate{.not_before = certificate->not_before,
                                         .not_after = certificate->not_after,
                                         .fits = has_names(*certificate, item.names) &&
                                                 certificate->key_kind == kind_of(settings_->key) &&
                                                 item.record.directory == settings_->directory};
}

io::Task<Result<ballast::acme::Obtained>> AcmeKeeper::order(const Item& item, Outcome& outcome) {
  using namespace ballast::acme;
  const config::Acme settings = *settings_;  // a change in the middle is for the next order
  outcome.directory = settings.directory;
  const io::Deadline deadline = io::Deadline::at(context_.loop.fresh_now() + order_time_max);
  Result<std::optional<acme::Account>> known = acme::load_account(state_directory_, settings.directory);
  if (!known) co_return fail(std::move(known.error()));
  acme::Account account = known->value_or(acme::Account{});
  const std::string external_id = settings.external_account.has_value() ? settings.external_account->key_id : "";
  if (account.external_id != external_id) account.url.clear();  // it is to be bound anew
  Result<AccountKey> key = account.key_pem.empty() ? AccountKey::generate() : AccountKey::from_pem(account.key_pem);
  if (!key) co_return fail(std::move(key.error()));
  if (account.key_pem.empty()) {
    // Before anybody has seen it: an account whose key is lost can never be used again.
    account.key_pem = key->pem();
    Result<> saved = acme::save_account(state_directory_, settings.directory, account);
    if (!saved) co_return fail(std::move(saved.error()));
  }

  Wanted wanted{.names = item.names,
                .challenge = settings.challenge == config::AcmeChallenge::Http01 ? ChallengeKind::Http01
                                                                                 : ChallengeKind::TlsAlpn01,
                .key = settings.key == config::AcmeKey::Rsa ? KeyKind::Rsa2048 : KeyKind::EcdsaP256,
                .contact = settings.email.empty() ? "" : "mailto:" + settings.email,
                .external_account = {}};
  if (settings.external_account.has_value()) {
    wanted.external_account =
        ExternalAccount{.key_id = settings.external_account->key_id, .hmac_key = settings.external_account->hmac_key};
  }
  Session session(
      {.loop = context_.loop, .resolver = context_.resolver, .tls = tls_, .directory_url = settings.directory}, *key);
  Result<> opened = co_await session.open(deadline);
  if (!opened) co_return fail(std::move(opened.error()).within("directory"));
  session.use_account(account.url);
  const ShowChallenges shower = [this](const std::vector<PendingChallenge>& pending) { return show(pending); };
  Result<Obtained> obtained = co_await obtain(session, wanted, shower, deadline);
  if (const auto& refusal = session.refusal(); !obtained && refusal.has_value()) {
    outcome.retry_after = refusal->retry_after;
    outcome.rate_limited = refusal->problem.is("rateLimited");
  }
  if (!session.account().empty() && session.account() != account.url) {
    account.url = session.account();
    account.external_id = external_id;
    context_.events.add("acme.account", settings.directory, fmt::format("an account was made: {}", account.url));
    if (Result<> saved = acme::save_account(state_directory_, settings.directory, account); !saved) {
      context_.events.add("state.not_saved", state_directory_, saved.error().text());
    }
  }
  co_return std::move(obtained);
}

io::Task<void> AcmeKeeper::attempt(std::shared_ptr<Item> item) {
  io::Strand& strand = co_await io::this_strand();
  item->at_work = true;
  item->record.attempted = wall_now();
  // Before the authority is asked: a program that dies in the middle, again and again, is no loop of orders either.
  save(*item);
  Outcome outcome;
  Result<ballast::acme::Obtained> obtained = co_await order(*item, outcome);
  item->at_work = false;
  if (!obtained && strand.cancelled()) co_return;
  Result<> taken;
  if (obtained) {
    // Beside a certificate from elsewhere the record must not say so before it has been replaced.
    const std::string before = std::exchange(item->record.directory, outcome.directory);
    taken = take(*item, *obtained);
    if (!taken) item->record.directory = before;
  } else {
    taken = fail(std::move(obtained.error()));
  }
  if (!taken) failed(*item, taken.error(), outcome);
  save(*item);
}

Result<> AcmeKeeper::take(Item& item, const ballast::acme::Obtained& obtained) {
  const WallTime now = wall_now();
  std::string pem = obtained.key_pem + obtained.chain_pem;
  auto certificate = checked("the certificate that has come", pem, now);
  if (!certificate) return fail(std::move(certificate.error()));
  if (!has_names(*certificate, item.names)) {
    return fail(Code::Malformed, fmt::format("the certificate that has come is not for {}", config::join(item.names)));
  }
  if (certificate->not_after <= now) {
    return fail(Code::Malformed, fmt::format("the certificate that has come has expired, on {}; is the clock right?",
                                             day(certificate->not_after)));
  }
  if (Result<> saved = acme::save_certificate(state_directory_, item.names, pem); !saved) return saved;
  ++item.obtained;
  item.record.failures = 0;
  item.record.retry_at.reset();
  item.record.error.clear();
  item.is_seen = false;
  context_.events.add("acme.obtained", item.name(),
                      fmt::format("a certificate for {} has come, good until {}", config::join(item.names),
                                  day(certificate->not_after)));
  return {};
}

void AcmeKeeper::failed(Item& item, const Error& error, const Outcome& outcome) {
  ++item.failed;
  ++item.record.failures;
  const WallTime now = wall_now();
  item.record.error = error.text();
  item.record.retry_at = acme::retry_time(
      {.failures = item.record.failures, .retry_after = outcome.retry_after, .rate_limited = outcome.rate_limited},
      chance(), now);
  const bool has_one = item.seen.held.has_value() && item.seen.held->not_after > now;
  context_.events.add(
      "acme.failed", item.name(),
      fmt::format("no certificate for {} from {}: {}; {}; tried again in {}", config::join(item.names),
                  outcome.directory, item.record.error,
                  has_one ? fmt::format("the one there stays, good until {}", day(item.seen.held->not_after))
                          : "there is none to show: clients that ask for it are refused",
                  in_words(*item.record.retry_at - now)));
}

void AcmeKeeper::save(const Item& item) {
  if (const Result<> saved = acme::save_record(state_directory_, item.names, item.record); !saved) {
    context_.events.add("state.not_saved", state_directory_,
                        fmt::format("{}: make state_directory writable", saved.error().text()));
  }
}

Result<> AcmeKeeper::show(const std::vector<ballast::acme::PendingChallenge>& pending) {
  auto challenges = std::make_shared<acme::Challenges>();
  for (const ballast::acme::PendingChallenge& each : pending) {
    if (each.kind == ballast::acme::ChallengeKind::Http01) {
      challenges->by_token.emplace(each.token, each.key_authorization);
      continue;
    }
    auto made = ballast::acme::make_challenge_certificate(each.name, each.key_authorization);
    if (!made) return fail(std::move(made.error()));
    auto certificate = checked("the certificate for a challenge", made->key_pem + made->cert_pem, wall_now());
    if (!certificate) return fail(std::move(certificate.error()));
    const tls::ServerOptions options{
        .identity = "acme challenge",
        .certificates = {std::make_shared<const tls::Certificate>(std::move(*certificate))},
        .alpn = {std::string(acme::challenge_protocol)},
        .strict_sni = true};
    acme::Challenges::Contexts& contexts = challenges->by_name[each.name];
    for (int i = 0; i < context_.workers; ++i) {
      auto context = tls::ServerContext::make(options);
      if (!context) return fail(std::move(context.error()));
      contexts.push_back(std::move(*context));
    }
  }
  challenges_ = pending.empty() ? nullptr : std::move(challenges);
  context_.publish();
  return {};
}

std::vector<model::AcmeStatus> AcmeKeeper::status() const {
  std::vector<model::AcmeStatus> all;
  for (const auto& [names, item] : items_) {
    model::AcmeStatus& status = all.emplace_back();
    status.names = item->names;
    status.file = item->file;
    if (item->seen.held.has_value()) status.not_after = item->seen.held->not_after;
    status.state = item->at_work                 ? "ordering"
                   : item->record.failures > 0   ? "failing"
                   : item->seen.held.has_value() ? "good"
                                                 : "waiting";
    status.problem = item->record.error;
    status.failures = static_cast<std::uint64_t>(item->record.failures);
    if (item->record.attempted.has_value()) status.attempted = *item->record.attempted;
    status.next = item->decision.at;
    status.obtained_total = item->obtained;
    status.failed_total = item->failed;
  }
  return all;
}

}  // namespace ballast::traffic

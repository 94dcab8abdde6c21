#include "cluster/changes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/recorded_files.h"

namespace ballast::cluster {
namespace {

std::string named(const Changes::Named& which) {
  return which.group + "/" + which.target;
}

std::string seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000) : fmt::format("{} ms", time.count());
}

// The first line of a text that may have many.
std::string one_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Changes::Changes(io::Loop& loop, model::Service& service, Options options)
    : loop_(loop), service_(service), options_(std::move(options)) {
  auto history = History::open(options_.file);
  if (history) {
    history_ = std::move(*history);
    return;
  }
  why_none_ = history.error().text();
  trouble(history.error());
}

void Changes::trouble(const Error& error) const {
  options_.event({.kind = "history.not_kept",
                  .subject = options_.file,
                  .text = error.text() + "; changes are made all the same, and cannot be gone back to"});
}

void Changes::begin(Start start) {
  if (history_ == nullptr) return;
  if (start == Start::Anew) {
    await_confirmation(std::nullopt);
    model::HistoryEntry entry{.actor = {.user = "ballast", .way = "start"},
                              .kind = "start",
                              .subject = options_.subject,
                              .text = "started",
                              .generation = service_.status().generation};
    add(std::move(entry), recording());
    return;
  }
  const auto waits = history_->unconfirmed();
  if (!waits) trouble(waits.error());
  if (waits && waits->has_value()) await_confirmation(*waits);
}

std::string Changes::recording() const {
  const config::Settings& settings = service_.settings();
  return settings.recording != nullptr ? config::write_recording(*settings.recording) : std::string();
}

Result<const History*> Changes::history() const {
  if (history_ != nullptr) return history_.get();
  return fail(Code::Unsupported,
              fmt::format("there is no history: {}; make state_directory writable and restart", why_none_));
}

Result<> Changes::check(const Request& request) const {
  if (!request.confirm_within.has_value()) return {};
  if (*request.confirm_within <= std::chrono::milliseconds(0) || *request.confirm_within > confirm_time_max) {
    return fail(Code::Invalid, "the time to confirm within must be above 0 and at most 24 h");
  }
  if (const auto kept = history(); !kept) return fail(kept.error());
  return {};
}

std::uint64_t Changes::add(model::HistoryEntry entry, const std::string& configuration) {
  if (history_ == nullptr) return 0;
  entry.at = options_.now();
  const Result<std::uint64_t> id = history_->add(entry, configuration);
  if (!id) trouble(id.error());
  return id.value_or(0);
}

Result<model::ApplyReport> Changes::apply(config::Settings next, const Request& request) {
  if (Result<> may = check(request); !may) return fail(std::move(may.error()));
  model::HistoryEntry entry{.actor = request.actor, .kind = "apply"};
  if (!next.files.empty()) entry.subject = next.files.front();
  Outcome outcome = service_.apply(std::move(next));
  note(std::move(entry), outcome, request);
  return outcome;
}

Result<model::ApplyReport> Changes::reload(const Request& request) {
  if (Result<> may = check(request); !may) return fail(std::move(may.error()));
  Outcome outcome = service_.reload();
  note({.actor = request.actor, .kind = "reload", .subject = options_.subject}, outcome, request);
  return outcome;
}

Result<model::ApplyReport> Changes::rollback(std::uint64_t id, const Request& request) {
  if (Result<> may = check(request); !may) return fail(std::move(may.error()));
  const auto kept = history();
  if (!kept) return fail(kept.error());
  const auto configuration = (*kept)->configuration(id);
  if (!configuration) return fail(configuration.error());
  auto settings = options_.read(*configuration);
  if (!settings) return fail(std::move(settings.error()));
  Outcome outcome = service_.apply(std::move(*settings));
  note({.actor = request.actor, .kind = "rollback", .subject = fmt::format("to {}", id)}, outcome, request);
  return outcome;
}

void Changes::note(model::HistoryEntry entry, const Outcome& outcome, const Request& request) {
  // What was refused for a moment will be asked again, and is no change.
  if (!outcome && outcome.error().retry() == Retry::Always) return;
  entry.done = outcome.has_value();
  if (!outcome) {
    entry.text = one_line(outcome.error().text());
    add(std::move(entry), {});
    return;
  }
  entry.changes = outcome->changes;
  entry.generation = outcome->generation;
  entry.text = entry.changes.empty()
                   ? "nothing changed"
                   : fmt::format("{} change{}", entry.changes.size(), entry.changes.size() == 1 ? "" : "s");
  if (history_ == nullptr) return;
  const auto before = history_->unconfirmed();
  const auto in_force = history_->in_force();
  if (request.confirm_within.has_value()) {
    entry.text += fmt::format(", to be confirmed within {}", seconds(*request.confirm_within));
  }
  const std::uint64_t id = add(std::move(entry), recording());
  if (!request.confirm_within.has_value() || id == 0) {
    await_confirmation(std::nullopt);
    return;
  }
  // Of several that nobody has confirmed, all go.
  const bool another_waits = before && before->has_value();
  await_confirmation(Unconfirmed{.entry = id,
                                 .back_to = another_waits ? (*before)->back_to : in_force.value_or(0),
                                 .until = options_.now() + *request.confirm_within});
}

void Changes::await_confirmation(const std::optional<Unconfirmed>& change) {
  if (Result<> kept = history_->set_unconfirmed(change); !kept) trouble(kept.error());
  take_back_tries_ = 0;
  disarm();
  if (!change.has_value()) return;
  const auto left = std::max(model::WallTime::duration::zero(), change->until - options_.now());
  loop_.timers().arm(*this, loop_.now() + left);
}

Result<> Changes::confirm(const model::Actor& actor) {
  const auto waits = unconfirmed();
  if (!waits) return fail(waits.error());
  if (!waits->has_value()) return fail(Code::NotFound, "no change waits to be confirmed");
  await_confirmation(std::nullopt);
  add({.actor = actor, .kind = "confirm", .subject = fmt::format("of {}", (*waits)->entry), .text = "it stays"}, {});
  return {};
}

void Changes::expired() {
  const auto waits = history_->unconfirmed();
  if (waits && waits->has_value()) take_back(**waits);
}

void Changes::take_back(const Unconfirmed& change) {
  const model::Actor by{.user = "ballast", .way = "confirm"};
  const std::string why = fmt::format("change {} was not confirmed in time", change.entry);
  const auto configuration = history_->configuration(change.back_to);
  Result<config::Settings> settings = configuration ? options_.read(*configuration) : fail(configuration.error());
  Outcome outcome = settings ? service_.apply(std::move(*settings)) : fail(settings.error());
  constexpr int tries_max = 120;
  constexpr auto pause = std::chrono::milliseconds(500);
  if (!outcome && outcome.error().retry() == Retry::Always && ++take_back_tries_ < tries_max) {
    loop_.timers().arm(*this, loop_.now() + pause);
    return;
  }
  model::HistoryEntry entry{.actor = by, .kind = "taken_back", .subject = fmt::format("to {}", change.back_to)};
  const std::string reason =
      outcome ? why : fmt::format("{}, and could not be taken back: {}", why, outcome.error().text());
  options_.event({.kind = outcome ? "config.taken_back" : "config.not_taken_back",
                  .subject = "configuration",
                  .text = outcome ? fmt::format("{}: the one of {} is in force again", why, change.back_to) : reason});
  note(std::move(entry), outcome, {.actor = by, .confirm_within = {}});
  if (!outcome) await_confirmation(std::nullopt);
}

Result<> Changes::note(const std::string& kind, const Named& which, const model::Actor& actor, const Result<>& outcome,
                       const std::string& text) {
  return note({.actor = actor, .kind = kind, .subject = named(which)}, outcome, text);
}

Result<> Changes::note(model::HistoryEntry entry, const Result<>& outcome, const std::string& text) {
  if (!outcome && outcome.error().retry() == Retry::Always) return outcome;
  entry.done = outcome.has_value();
  entry.text = outcome ? text : one_line(outcome.error().text());
  add(std::move(entry), {});
  return outcome;
}

Result<> Changes::maintain(const std::string& listener, model::Service::Maintenance maintenance,
                           const model::Actor& actor) {
  const bool is_on = maintenance == model::Service::Maintenance::On;
  return note({.actor = actor, .kind = "maintenance", .subject = listener},
              service_.set_maintenance(listener, maintenance), is_on ? "on" : "off");
}

Result<> Changes::drain(const Named& which, const model::Actor& actor) {
  return note("drain", which, actor, service_.drain(which.group, which.target), "no new requests");
}

Result<> Changes::enable(const Named& which, const model::Actor& actor) {
  return note("enable", which, actor, service_.enable(which.group, which.target), "it takes requests again");
}

Result<> Changes::weigh(const Named& which, std::optional<int> weight, const model::Actor& actor) {
  if (!weight.has_value()) {
    return note("weight", which, actor, service_.reset_weight(which.group, which.target), "as configured again");
  }
  return note("weight", which, actor, service_.set_weight(which.group, which.target, *weight),
              fmt::format("set to {}", *weight));
}

Result<std::vector<model::HistoryEntry>> Changes::list(const History::Page& page) const {
  const auto kept = history();
  if (!kept) return fail(kept.error());
  return (*kept)->list(page);
}

Result<model::HistoryEntry> Changes::entry(std::uint64_t id) const {
  const auto kept = history();
  if (!kept) return fail(kept.error());
  return (*kept)->entry(id);
}

Result<std::string> Changes::configuration(std::uint64_t id) const {
  const auto kept = history();
  if (!kept) return fail(kept.error());
  const auto text = (*kept)->configuration(id);
  if (!text) return fail(text.error());
  const auto recording = config::read_recording(*text);
  if (!recording) return fail(recording.error());
  const auto main = recording->files.find(recording->path);
  if (main == recording->files.end()) return fail(Code::Malformed, "the history has no text of that configuration");
  return main->second;
}

Result<std::optional<Unconfirmed>> Changes::unconfirmed() const {
  const auto kept = history();
  if (!kept) return fail(kept.error());
  return (*kept)->unconfirmed();
}

}  // namespace ballast::cluster

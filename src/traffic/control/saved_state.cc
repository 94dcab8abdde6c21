#include "traffic/control/saved_state.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/json.h"

namespace ballast::traffic {
namespace {

using Json = nlohmann::json;

constexpr int reasons_max = 64;  // more than there will be

std::int64_t to_ms(model::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
model::WallTime from_ms(std::int64_t ms) {
  return model::WallTime(std::chrono::milliseconds(ms));
}

Counts counts(const Json& json) {
  Counts read;
  const auto found = json.find("counts");
  if (found == json.end() || !found->is_object()) return read;
  for (const auto& [name, count] : found->items()) {
    if (count.is_number_unsigned()) read[name] = count.get<std::uint64_t>();
  }
  return read;
}

model::TargetReason reason_named(const std::string& name) {
  for (int i = 0; i < reasons_max; ++i) {
    const auto reason = static_cast<model::TargetReason>(i);
    if (model::to_string(reason) == name) return reason;
  }
  return model::TargetReason::InitialChecking;
}

model::TargetState state_named(const std::string& name) {
  for (int i = 0; i < reasons_max; ++i) {
    const auto state = static_cast<model::TargetState>(i);
    if (model::to_string(state) == name) return state;
  }
  return model::TargetState::Initial;
}

std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::Healthy ? "healthy" : verdict == Verdict::Unhealthy ? "unhealthy" : "unknown";
}
Verdict verdict_named(const std::string& name) {
  return name == "healthy" ? Verdict::Healthy : name == "unhealthy" ? Verdict::Unhealthy : Verdict::Unknown;
}

Json outlier_of(const SavedTarget& target) {
  const outlier::Record& record = target.outlier;
  Json json = {{"words", record.words},
               {"times", record.times},
               {"weight", record.weight},
               {"weight_words", record.weight_words},
               {"ejections", record.ejections}};
  if (target.ejected_until.has_value()) json["ejected_until"] = to_ms(*target.ejected_until);
  return json;
}

void read_outlier(const Json& json, SavedTarget& target) {
  outlier::Record& record = target.outlier;
  record.words = json_text(json, "words");
  record.times = static_cast<int>(std::clamp<std::int64_t>(json_integer(json, "times"), 0, outlier::times_max));
  const auto weight = json.find("weight");
  if (weight != json.end() && weight->is_number()) record.weight = std::clamp(weight->get<double>(), 0.01, 1.0);
  record.weight_words = json_text(json, "weight_words");
  const auto ejections = json.find("ejections");
  if (ejections != json.end() && ejections->is_array()) {
    for (std::size_t i = 0; i < std::min(ejections->size(), record.ejections.size()); ++i) {
      const Json& count = (*ejections)[i];
      if (count.is_number_unsigned()) record.ejections[i] = count.get<std::uint64_t>();
    }
  }
  if (json.contains("ejected_until")) target.ejected_until = from_ms(json_integer(json, "ejected_until"));
  // What has no end has no reason either.
  if (!target.ejected_until.has_value()) record.words.clear();
}

Json json_of(const SavedTarget& target) {
  const TargetRecord& record = target.record;
  return {{"configured", target.configured},
          {"address", target.address},
          {"state", model::to_string(record.state)},
          {"reason", model::to_string(record.reason)},
          {"words", record.words},
          {"verdict", name_of(record.verdict)},
          {"verdict_reason", model::to_string(record.verdict_reason)},
          {"verdict_words", record.verdict_words},
          {"was_healthy", record.was_healthy},
          {"passes", record.passes},
          {"failures", record.failures},
          {"since", to_ms(target.since)},
          {"checked", to_ms(target.checked)},
          {"passed", target.passed},
          {"failed", target.failed},
          {"outlier", outlier_of(target)},
          {"counts", target.counts}};
}

SavedTarget target_of(const Json& json) {
  SavedTarget target{.configured = json_text(json, "configured"), .address = json_text(json, "address")};
  TargetRecord& record = target.record;
  record.state = state_named(json_text(json, "state"));
  record.reason = reason_named(json_text(json, "reason"));
  record.words = json_text(json, "words");
  record.verdict = verdict_named(json_text(json, "verdict"));
  record.verdict_reason = reason_named(json_text(json, "verdict_reason"));
  record.verdict_words = json_text(json, "verdict_words");
  record.was_healthy = json_flag(json, "was_healthy");
  record.passes = static_cast<int>(std::clamp<std::int64_t>(json_integer(json, "passes"), 0, 1'000'000));
  record.failures = static_cast<int>(std::clamp<std::int64_t>(json_integer(json, "failures"), 0, 1'000'000));
  target.since = from_ms(json_integer(json, "since"));
  target.checked = from_ms(json_integer(json, "checked"));
  target.passed = static_cast<std::uint64_t>(json_integer(json, "passed"));
  target.failed = static_cast<std::uint64_t>(json_integer(json, "failed"));
  if (const auto outlier = json.find("outlier"); outlier != json.end() && outlier->is_object()) {
    read_outlier(*outlier, target);
  }
  target.counts = counts(json);
  return target;
}

Json json_of(const SavedRate& rate) {
  return {{"listener", rate.place.listener},
          {"rule", rate.place.rule},
          {"limit", rate.place.limit},
          {"meaning", rate.meaning},
          {"secret_low", rate.secret.low},
          {"secret_high", rate.secret.high},
          {"keys", encode_base64url(rate.keys)},
          {"admitted", rate.admitted},
          {"limited", rate.limited},
          {"reported", rate.reported},
          {"displaced", rate.displaced}};
}

SavedRate rate_of(const Json& json) {
  return {.place = {.listener = json_text(json, "listener"),
                    .rule = json_text(json, "rule"),
                    .limit = json_text(json, "limit")},
          .meaning = json_text(json, "meaning"),
          .secret = {.low = json_number(json, "secret_low"), .high = json_number(json, "secret_high")},
          .keys = decode_base64url(json_text(json, "keys")).value_or(std::string()),
          .admitted = json_number(json, "admitted"),
          .limited = json_number(json, "limited"),
          .reported = json_number(json, "reported"),
          .displaced = json_number(json, "displaced")};
}

}  // namespace

const SavedGroup* SavedState::group(const std::string& name) const {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.name == name; });
  return found != groups.end() ? &*found : nullptr;
}

const SavedListener* SavedState::listener(const std::string& name) const {
  const auto found =
      std::find_if(listeners.begin(), listeners.end(), [&](const auto& each) { return each.name == name; });
  return found != listeners.end() ? &*found : nullptr;
}

std::string write_state(const SavedState& state) {
  Json groups = Json::array();
  for (const SavedGroup& group : state.groups) {
    Json targets = Json::array();
    for (const SavedTarget& target : group.targets) targets.push_back(json_of(target));
    Json names = Json::array();
    for (const SavedName& name : group.names) {
      names.push_back({{"host", name.host}, {"port", name.port}, {"addresses", name.addresses}});
    }
    groups.push_back(
        {{"name", group.name}, {"targets", std::move(targets)}, {"names", std::move(names)}, {"counts", group.counts}});
  }
  Json listeners = Json::array();
  for (const SavedListener& each : state.listeners) {
    listeners.push_back({{"name", each.name}, {"counts", each.counts}});
  }
  Json rates = Json::array();
  for (const SavedRate& each : state.rates) rates.push_back(json_of(each));
  Json events = Json::array();
  for (const model::Event& event : state.events) {
    events.push_back({{"id", event.id},
                      {"at", to_ms(event.at)},
                      {"kind", event.kind},
                      {"subject", event.subject},
                      {"text", event.text}});
  }
  const Json json = {{"groups", std::move(groups)},    {"listeners", std::move(listeners)},
                     {"rates", std::move(rates)},      {"events", std::move(events)},
                     {"generation", state.generation}, {"configuration", state.configuration}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SavedState> read_state(const std::string& text_of_it) {
  const Json json = Json::parse(text_of_it, nullptr, false);
  if (!json.is_object()) return fail(Code::Malformed, "the state that the process before has left is none");
  SavedState state;
  for (const Json& each : json_objects(json, "groups")) {
    SavedGroup group{.name = json_text(each, "name")};
    for (const Json& target : json_objects(each, "targets")) group.targets.push_back(target_of(target));
    for (const Json& name : json_objects(each, "names")) {
      SavedName saved{.host = json_text(name, "host"), .port = static_cast<std::uint16_t>(json_integer(name, "port"))};
      const auto addresses = name.find("addresses");
      if (addresses != name.end() && addresses->is_array()) {
        for (const Json& address : *addresses) {
          if (address.is_string()) saved.addresses.push_back(address.get<std::string>());
        }
      }
      group.names.push_back(std::move(saved));
    }
    group.counts = counts(each);
    state.groups.push_back(std::move(group));
  }
  for (const Json& each : json_objects(json, "listeners")) {
    state.listeners.push_back({.name = json_text(each, "name"), .counts = counts(each)});
  }
  for (const Json& each : json_objects(json, "rates")) state.rates.push_back(rate_of(each));
  for (const Json& each : json_objects(json, "events")) {
    state.events.push_back({.id = static_cast<std::uint64_t>(json_integer(each, "id")),
                            .at = from_ms(json_integer(each, "at")),
                            .kind = json_text(each, "kind"),
                            .subject = json_text(each, "subject"),
                            .text = json_text(each, "text")});
  }
  state.generation = static_cast<std::uint64_t>(json_integer(json, "generation"));
  state.configuration = json_text(json, "configuration");
  return state;
}

SavedState counts_since(const SavedState& now, const SavedState& before) {
  SavedState since;
  for (const SavedListener& listener : now.listeners) {
    const SavedListener* then = before.listener(listener.name);
    since.listeners.push_back(
        {.name = listener.name,
         .counts = then != nullptr ? difference(listener.counts, then->counts) : listener.counts});
  }
  for (const SavedGroup& group : now.groups) {
    const SavedGroup* then = before.group(group.name);
    SavedGroup grown{.name = group.name,
                     .counts = then != nullptr ? difference(group.counts, then->counts) : group.counts};
    for (const SavedTarget& target : group.targets) {
      SavedTarget one{.configured = target.configured, .address = target.address, .counts = target.counts};
      if (then != nullptr) {
        for (const SavedTarget& each : then->targets) {
          if (each.configured == target.configured && each.address == target.address) {
            one.counts = difference(target.counts, each.counts);
          }
        }
      }
      grown.targets.push_back(std::move(one));
    }
    since.groups.push_back(std::move(grown));
  }
  return since;
}

}  // namespace ballast::traffic

// `ballast target drain|enable|weight GROUP ADDRESS [N]`: an operator's word on one target.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/request.h"
#include "admin/cli/ask.h"
#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"
#include "config/units.h"
#include "config/words.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

// How often a drain is looked at: shorter than anybody notices, cheap for the server.
constexpr std::chrono::milliseconds drain_look{200};
// As long as the longest default drain.
constexpr std::chrono::milliseconds drain_wait_default{300'000};

struct Named {
  std::string group;
  std::string address;
  std::vector<std::string> rest;
};

// "GROUP ADDRESS ..." or "GROUP/ADDRESS ..."; a group's name has no slash, an address may (unix:/path).
std::optional<Named> name_target(std::vector<std::string> words) {
  if (words.empty()) return std::nullopt;
  Named named;
  std::size_t used = 1;
  const std::size_t slash = words[0].find('/');
  if (slash != std::string::npos) {
    named.group = words[0].substr(0, slash);
    named.address = words[0].substr(slash + 1);
  } else {
    if (words.size() < 2) return std::nullopt;
    named.group = words[0];
    named.address = words[1];
    used = 2;
  }
  if (named.group.empty() || named.address.empty()) return std::nullopt;
  named.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(used), words.end());
  return named;
}

std::string target_path(const Named& named, std::string_view action) {
  return fmt::format("/v1/targets/{}/{}/{}", percent_encode(named.group), percent_encode(named.address), action);
}

// Requests still with the target; none: it has gone from the group. An answer that cannot be read: nullopt outside.
std::optional<std::optional<std::uint64_t>> in_flight(const std::string& document, const Named& named) {
  const Json status = Json::parse(document, nullptr, false);
  if (!status.is_object() || !status.contains("groups") || !status["groups"].is_array()) return std::nullopt;
  for (const Json& group : status["groups"]) {
    if (!group.is_object() || group.value("name", Json()) != Json(named.group)) continue;
    const auto targets = group.find("targets");
    if (targets == group.end() || !targets->is_array()) return std::nullopt;
    for (const Json& target : *targets) {
      if (!target.is_object() || target.value("address", Json()) != Json(named.address)) continue;
      const auto traffic = target.find("traffic");
      if (traffic == target.end() || !traffic->is_object()) return std::nullopt;
      const auto count = traffic->find("in_flight");
      if (count == traffic->end() || !count->is_number_unsigned()) return std::nullopt;
      return std::optional<std::uint64_t>(count->get<std::uint64_t>());
    }
  }
  return std::optional<std::uint64_t>();
}

Exit wait_until_drained(const Invocation& invocation, const Named& named, std::chrono::milliseconds timeout) {
  const auto start = invocation.terminal.now();
  while (true) {
    const Result<ApiAnswer> answer = invocation.api.ask({.target = "/v1/status"});
    if (const auto exit = report_failure(invocation, answer)) return *exit;
    const auto left = in_flight(answer->body, named);
    if (!left) return report_misunderstanding(invocation);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(invocation.terminal.now() - start);
    if (left->value_or(0) == 0) {
      if (invocation.json()) {
        invocation.terminal.out("{\"done\": true, \"in_flight\": 0}\n");
      } else {
        invocation.terminal.out(
            fmt::format("{}/{}: drained; nothing is in flight\n", printable(named.group), printable(named.address)));
      }
      return Exit::Done;
    }
    if (took >= timeout) {
      return report_failure(invocation, Exit::Refused, "timed_out",
                            fmt::format("{}/{}: {} still in flight after {}; it goes on draining (a longer --timeout "
                                        "waits longer)",
                                        named.group, named.address, **left, config::show_duration(timeout)));
    }
    invocation.api.pause(drain_look);
  }
}

Exit usage(const Invocation& invocation, std::string_view text) {
  return report_failure(invocation, Exit::BadInput, "invalid", text);
}

Exit drain(const Invocation& invocation, const Named& named) {
  std::chrono::milliseconds timeout = drain_wait_default;
  if (const auto given = invocation.arguments.value("--timeout")) {
    const auto parsed = config::parse_duration(*given);
    if (!parsed) return usage(invocation, fmt::format("--timeout: {}", parsed.error().text()));
    timeout = *parsed;
  }
  const Result<ApiAnswer> answer =
      ask_for_change(invocation, {.method = "POST", .target = target_path(named, "drain")});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  if (invocation.arguments.has("--wait")) return wait_until_drained(invocation, named, timeout);
  return report_done(
      invocation, *answer,
      fmt::format("{}/{}: draining; no new requests, those in flight may finish", named.group, named.address));
}

Exit enable(const Invocation& invocation, const Named& named) {
  const Result<ApiAnswer> answer =
      ask_for_change(invocation, {.method = "POST", .target = target_path(named, "enable")});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  return report_done(
      invocation, *answer,
      fmt::format("{}/{}: enabled; it gets requests when its health check says so", named.group, named.address));
}

Exit weight(const Invocation& invocation, const Named& named) {
  ApiQuestion question{.method = "DELETE", .target = target_path(named, "weight")};
  std::string sentence = fmt::format("{}/{}: the weight of the configuration holds again", named.group, named.address);
  if (!named.rest.empty()) {
    const Result<std::int64_t> number = config::parse_integer(named.rest[0]);
    if (!number || *number < 0 || *number > 999) {
      return usage(invocation, fmt::format("weight {}: must be a whole number from 0 to 999", named.rest[0]));
    }
    question.method = "PUT";
    question.content_type = "application/json";
    question.body = fmt::format("{{\"weight\": {}}}", *number);
    sentence = fmt::format("{}/{}: weight {}", named.group, named.address, *number);
  }
  const Result<ApiAnswer> answer = ask_for_change(invocation, question);
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  return report_done(invocation, *answer, sentence);
}

Exit run(const Invocation& invocation) {
  const std::vector<std::string> actions{"drain", "enable", "weight"};
  const std::string& action = invocation.words()[0];
  if (std::ranges::find(actions, action) == actions.end()) {
    return usage(invocation, fmt::format("unknown action {}{} (there are drain, enable and weight)",
                                         config::quote(action), config::did_you_mean(action, actions)));
  }
  const auto named = name_target({invocation.words().begin() + 1, invocation.words().end()});
  if (!named || named->rest.size() > (action == "weight" ? 1U : 0U)) {
    return usage(invocation,
                 fmt::format("usage: ballast target {} GROUP ADDRESS{}", action, action == "weight" ? " [N]" : ""));
  }
  if (action != "drain" && (invocation.arguments.has("--wait") || invocation.arguments.has("--timeout"))) {
    return usage(invocation, "--wait and --timeout are for drain");
  }
  if (action == "drain") return drain(invocation, *named);
  if (action == "enable") return enable(invocation, *named);
  return weight(invocation, *named);
}

}  // namespace

Command target_command() {
  return {.name = "target",
          .summary = "drain a target, take it back, or set its weight",
          .usage = "drain|enable|weight GROUP ADDRESS [N]",
          .details =
              "drain    no new requests; those in flight finish. Stays so until enabled.\n"
              "enable   takes a drain back.\n"
              "weight   0 to 999; without N the weight of the configuration holds again.\n"
              "GROUP/ADDRESS may be written instead of GROUP ADDRESS.",
          .example = "ballast target drain site 10.0.0.11:8080 --wait",
          .options = {{"--wait", "", "drain: return when nothing is in flight any more"},
                      {"--timeout", "TIME", "drain: wait at most that long (5m)"}},
          .words_min = 2,
          .words_max = 4,
          .run = run};
}

}  // namespace ballast::admin

// `ballast status`: what runs, a table of listeners and one of targets for each group.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/cli/commands.h"
#include "admin/cli/document.h"
#include "admin/cli/figures.h"
#include "admin/cli/outcome.h"
#include "admin/cli/table.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

const Json& member(const Json& json, const char* name) {
  static const Json empty = Json::object();
  const auto found = json.find(name);
  return found != json.end() && found->is_structured() ? *found : empty;
}

std::string ago(const Invocation& invocation, const Json& json, const char* name) {
  const auto at = read_rfc3339(shown_text(json, name));
  if (!at) return "-";
  return show_span(std::chrono::duration_cast<std::chrono::milliseconds>(invocation.terminal.now() - *at));
}

Cell errors(const Json& traffic, const char* name) {
  const std::uint64_t count = json_number(member(traffic, "responses"), name);
  return {show_count(count), count != 0 && std::string_view(name) == "5xx" ? Colour::Bad : Colour::Plain};
}

Cell slow(const Json& traffic) {
  const Json& duration = member(traffic, "duration");
  const auto p99 = duration.find("p99_seconds");
  return {p99 != duration.end() && p99->is_number() ? show_seconds(p99->get<double>()) : "-"};
}

Colour colour_of(std::string_view state) {
  if (state == "healthy") return Colour::Good;
  if (state == "unhealthy" || state == "unavailable") return Colour::Bad;
  if (state == "unused") return Colour::Faint;
  return Colour::Warning;
}

std::string heading(const Invocation& invocation, const Json& status) {
  const Json& descriptors = member(status, "descriptors");
  std::string out = fmt::format("{}  pid {}, up {}, {} workers, {}, {} of {} descriptors\n",
                                invocation.terminal.paint("ballast " + shown_text(status, "version"), Colour::Strong),
                                json_number(status, "pid"), ago(invocation, status, "started"),
                                json_number(status, "workers"), show_bytes(json_number(status, "memory_bytes")),
                                json_number(descriptors, "open"), json_number(descriptors, "max"));
  out += fmt::format("{}  generation {}, applied {} ago\n", shown_text(status, "config_file"),
                     json_number(status, "generation"), ago(invocation, status, "configured"));
  if (json_flag(status, "stopping")) {
    out +=
        invocation.terminal.paint("STOPPING: no new connections, those under way may finish", Colour::Warning) + "\n";
  }
  return out;
}

std::string listeners(const Invocation& invocation, const Json& status) {
  Table table({{"LISTENER"},
               {"ADDRESS"},
               {"PROTOCOL"},
               {"CONNECTIONS", Align::Right},
               {"IN FLIGHT", Align::Right},
               {"REQUESTS", Align::Right},
               {"4XX", Align::Right},
               {"5XX", Align::Right},
               {"P99", Align::Right},
               {"REFUSED", Align::Right}});
  for (const Json& l : member(status, "listeners")) {
    const Json& traffic = member(l, "traffic");
    const std::uint64_t refused = json_number(l, "connections_refused");
    table.row({{shown_text(l, "name"), Colour::Strong},
               {shown_text(l, "address")},
               {shown_text(l, "protocol")},
               {show_count(json_number(l, "connections"))},
               {show_count(json_number(traffic, "in_flight"))},
               {show_count(json_number(traffic, "requests"))},
               errors(traffic, "4xx"),
               errors(traffic, "5xx"),
               slow(traffic),
               {show_count(refused), refused != 0 ? Colour::Warning : Colour::Plain}});
  }
  std::string out = table.render(invocation.terminal, 0);
  for (const Json& l : member(status, "listeners")) {
    if (!json_flag(l, "maintenance")) continue;
    out += invocation.terminal.paint(
               fmt::format("{} is UNDER MAINTENANCE: requests get its page (ballast maintenance off {})",
                           shown_text(l, "name"), shown_text(l, "name")),
               Colour::Warning) +
           "\n";
  }
  return out;
}

// With when one that is ejected comes back, and why one that is in service gets less.
std::string reason(const Invocation& invocation, const Json& target) {
  const std::string words = shown_text(target, "words");
  const std::string passive = shown_text(target, "passive_words");
  std::string reason = words.empty() ? shown_text(target, "reason") : shown_text(target, "reason") + ": " + words;
  if (const auto until = read_rfc3339(shown_text(target, "ejected_until"))) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*until - invocation.terminal.now());
    if (left.count() > 0) reason += "; back in " + show_span(left);
  }
  if (!passive.empty()) reason += "; gets less: " + passive;
  return reason;
}

std::string targets(const Invocation& invocation, const Json& group) {
  Table table({{"TARGET"},
               {"STATE"},
               {"SINCE", Align::Right},
               {"WEIGHT", Align::Right},
               {"IN FLIGHT", Align::Right},
               {"REQUESTS", Align::Right},
               {"5XX", Align::Right},
               {"P99", Align::Right},
               {"REASON"}});
  for (const Json& t : member(group, "targets")) {
    const Json& traffic = member(t, "traffic");
    const std::string state = shown_text(t, "state");
    std::string weight = fmt::format("{}", json_number(t, "weight"));
    if (json_flag(t, "weight_overridden")) weight += "*";
    const auto effective = t.find("effective_weight");
    if (effective != t.end() && effective->is_number() &&
        effective->get<double>() + 0.05 < static_cast<double>(json_number(t, "weight"))) {
      weight = fmt::format("{:.1f} of {}", effective->get<double>(), weight);
    }
    table.row({{shown_text(t, "address")},
               {state, colour_of(state)},
               {ago(invocation, t, "since")},
               {weight},
               {show_count(json_number(traffic, "in_flight"))},
               {show_count(json_number(traffic, "requests"))},
               errors(traffic, "5xx"),
               slow(traffic),
               {reason(invocation, t)}});
  }
  return table.render(invocation.terminal, 2);
}

std::string group(const Invocation& invocation, const Json& group) {
  const std::size_t all = member(group, "targets").size();
  const std::uint64_t healthy = json_number(group, "healthy");
  const std::string health = fmt::format("{} of {} healthy", healthy, all);
  std::string out =
      fmt::format("\n{} ({}, {}): {}", invocation.terminal.paint(shown_text(group, "name"), Colour::Strong),
                  shown_text(group, "protocol"), shown_text(group, "algorithm"),
                  invocation.terminal.paint(health, healthy == all ? Colour::Good
                                                    : healthy == 0 ? Colour::Bad
                                                                   : Colour::Warning));
  const std::uint64_t ejected = json_number(group, "ejected");
  if (ejected != 0) out += ", " + invocation.terminal.paint(fmt::format("{} ejected", ejected), Colour::Warning);
  const std::uint64_t retries = json_number(group, "retries");
  if (retries != 0) out += fmt::format(", {} retries", show_count(retries));
  if (const std::uint64_t waiting = json_number(group, "waiting"); waiting != 0) {
    out += ", " + invocation.terminal.paint(fmt::format("{} waiting", show_count(waiting)), Colour::Warning);
  }
  if (json_flag(group, "failing_open")) {
    out += ", " + invocation.terminal.paint("FAILING OPEN: too few are healthy, all are used", Colour::Bad);
  }
  out += "\n";
  if (all == 0) return out + "  no targets\n";
  return out + targets(invocation, group);
}

std::string day(const Json& json, const char* name) {
  const std::string at = shown_text(json, name);  // "2026-11-24T21:39:20.123Z"
  return at.size() < 16 || at.starts_with("1970") ? "-" : at.substr(0, 10) + " " + at.substr(11, 5);
}

// Certificates that are obtained.
std::string obtained(const Invocation& invocation, const Json& status) {
  const Json& all = member(status, "acme");
  if (all.empty()) return "";
  Table table({{"CERTIFICATE"}, {"STATE"}, {"GOOD UNTIL"}, {"NEXT ORDER"}, {"LAST ERROR"}});
  for (const Json& a : all) {
    const Json& names = member(a, "names");
    std::string name = names.empty() || !names.front().is_string() ? "-" : printable(names.front().get<std::string>());
    if (names.size() > 1) name += fmt::format(" and {} more", names.size() - 1);
    const std::string state = shown_text(a, "state");
    table.row({{name, Colour::Strong},
               {state, state == "good"      ? Colour::Good
                       : state == "failing" ? Colour::Bad
                                            : Colour::Warning},
               {day(a, "not_after")},
               {day(a, "next")},
               {shown_text(a, "problem")}});
  }
  return "\n" + table.render(invocation.terminal, 0);
}

Exit run(const Invocation& invocation) {
  const Result<ApiAnswer> answer = invocation.api.ask({.target = "/v1/status"});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  if (invocation.json()) {
    invocation.terminal.out(answer->body);
    return Exit::Done;
  }
  const Json status = Json::parse(answer->body, nullptr, false);
  if (!status.is_object()) return report_misunderstanding(invocation);
  std::string page = heading(invocation, status) + "\n" + listeners(invocation, status);
  page += obtained(invocation, status);
  for (const Json& g : member(status, "groups")) page += group(invocation, g);
  invocation.terminal.out(page);
  return Exit::Done;
}

}  // namespace

Command status_command() {
  return {.name = "status",
          .summary = "listeners, target groups and the state of each target",
          .usage = "",
          .details = "A weight with * was set by `ballast target weight`. The time under P99 is read off a histogram.",
          .example = "ballast status",
          .options = {},
          .run = run};
}

}  // namespace ballast::admin

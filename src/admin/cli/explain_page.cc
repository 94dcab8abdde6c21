#include "admin/cli/explain_page.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/cli/document.h"
#include "admin/cli/figures.h"
#include "admin/cli/table.h"

namespace ballast::admin {
namespace {

using Json = nlohmann::json;

// Negative where there is none.
double time(const Json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_number() ? member->get<double>() : -1;
}
const Json& list(const Json& json, const char* name) {
  static const Json none = Json::array();
  const auto member = json.find(name);
  return member != json.end() && member->is_array() ? *member : none;
}

std::string show_time(double seconds) {
  return seconds < 0 ? "-" : show_seconds(seconds);
}

bool is_request(const Json& record) {
  return shown_text(record, "kind") != "connection";
}

// "3 attempts", "1 attempt"
std::string attempts_in_words(std::size_t count) {
  return fmt::format("{} attempt{}", count, count == 1 ? "" : "s");
}

// Where most of the time of a slow request went.
std::string longest_part(const Json& record) {
  const Json& attempts = list(record, "attempts");
  const double answered = time(record, "answered_seconds");
  const double queued = std::max(time(record, "queued_seconds"), 0.0);
  std::string found;
  double longest = 0;
  if (queued > 0) {
    longest = queued;
    found = fmt::format("{} of it waiting for a place at a target", show_time(queued));
  }
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const Json& each = attempts[i];
    const double end = i + 1 < attempts.size() ? time(attempts[i + 1], "began_seconds") : answered;
    const double whole = end - std::max(time(each, "began_seconds"), 0.0);
    if (whole <= longest) continue;
    longest = whole;
    const std::string target = shown_text(each, "target");
    if (time(each, "head_seconds") > whole / 2) {
      found = fmt::format("{} of it waiting for the answer of {}", show_time(time(each, "head_seconds")), target);
    } else if (time(each, "connect_seconds") > whole / 2) {
      found = fmt::format("{} of it connecting to {}", show_time(time(each, "connect_seconds")), target);
    } else if (time(each, "tls_seconds") > whole / 2) {
      found = fmt::format("{} of it in the TLS handshake with {}", show_time(time(each, "tls_seconds")), target);
    } else {
      const std::string reason = shown_text(each, "reason");
      found = fmt::format("{} of it with {}{}", show_time(whole), target, reason.empty() ? "" : " until " + reason);
    }
  }
  return found;
}

// One sentence.
std::string verdict(const Json& record) {
  const std::string reason = shown_text(record, "reason");
  // Of several sentences the first, and in place of the rest what the defect is.
  const std::string defect = shown_text(record, "defect_words");
  const std::string happened = shown_text(record, "happened");
  const std::string why = defect.empty()
                              ? fmt::format("{} ({})", happened, reason)
                              : fmt::format("{}: {} ({})", happened.substr(0, happened.find(';')), defect, reason);
  if (!is_request(record)) return fmt::format("A connection brought nothing: {}.", why);
  const std::uint64_t status = json_number(record, "status");
  const Json& attempts = list(record, "attempts");
  const double answered = time(record, "answered_seconds");
  const std::string after =
      fmt::format("after {}", show_time(answered < 0 ? time(record, "duration_seconds") : answered));
  if (reason.empty()) {
    const std::string part = longest_part(record);
    return fmt::format("Slow: answered {} {}{}.", status, after, part.empty() ? "" : ", " + part);
  }
  // One that had its answer's head from a target, and did not come to its end.
  const std::uint64_t of_target = attempts.empty() ? 0 : json_number(attempts.back(), "status");
  const bool is_cut = of_target != 0 && (of_target == status || of_target == 101);
  if (status == 0 || status == 460) return fmt::format("Not answered: {} {}.", why, after);
  std::string out = fmt::format("Answered {} {}{}: {}", status, after, is_cut ? ", and then" : "", why);
  if (attempts.size() > 1) out += fmt::format(", in the last of {}", attempts_in_words(attempts.size()));
  return out + ".";
}

// "GET shop.test/pay?x=1"
std::string request_line(const Json& record) {
  if (!is_request(record)) {
    const std::string sni = shown_text(record, "sni");
    return fmt::format("{} connection{}", shown_text(record, "protocol"), sni.empty() ? "" : " for " + sni);
  }
  const std::string method = shown_text(record, "method");
  if (method.empty()) return "a request that could not be read";
  const std::string query = shown_text(record, "query");
  return fmt::format("{} {}{}{}{}", method, shown_text(record, "host"), shown_text(record, "path"),
                     query.empty() ? "" : "?", query);
}

// For a table: the path first, which tells more than the host.
std::string short_line(const Json& record) {
  const std::string method = shown_text(record, "method");
  if (!is_request(record) || method.empty()) return request_line(record);
  const std::string query = shown_text(record, "query");
  const std::string host = shown_text(record, "host");
  return fmt::format("{} {}{}{}{}", method, shown_text(record, "path"), query.empty() ? "" : "?", query,
                     host.empty() ? "" : fmt::format(" ({})", host));
}

// "09:58:30"; of another day "11-20 09:58".
std::string short_time(const Terminal& terminal, const Json& record) {
  constexpr auto recent = std::chrono::hours(20);
  std::string at = shown_text(record, "at");
  const auto instant = read_rfc3339(at);
  if (!instant || at.size() != 24) return at;
  return terminal.now() - *instant < recent ? at.substr(11, 8)
                                            : fmt::format("{} {}", at.substr(5, 5), at.substr(11, 5));
}

std::string when(const Terminal& terminal, const Json& record) {
  std::string at = shown_text(record, "at");
  const auto instant = read_rfc3339(at);
  if (!instant || at.size() != 24) return at;
  return fmt::format("{} {}Z, {} ago", at.substr(0, 10), at.substr(11, 12),
                     show_span(std::chrono::duration_cast<std::chrono::milliseconds>(terminal.now() - *instant)));
}

Colour colour_of(const Json& record) {
  const std::uint64_t status = json_number(record, "status");
  if (shown_text(record, "reason").empty()) return Colour::Warning;
  return status == 0 || status >= 500 ? Colour::Bad : Colour::Warning;
}

std::size_t columns_of(const Terminal& terminal) {
  return static_cast<std::size_t>(std::max(terminal.width_columns, 0));
}

// A line of "  name      text", with nothing where there is no text.
class Lines {
 public:
  explicit Lines(const Terminal& terminal) : terminal_(terminal) {}
  void add(std::string_view name, std::string_view value) {
    constexpr std::size_t indent = 12;
    if (value.empty()) return;
    out_ += fmt::format("  {}{}{}\n", terminal_.paint(name, Colour::Faint),
                        std::string(indent - 2 - std::min(indent - 2, name.size()), ' '),
                        wrap(value, columns_of(terminal_), indent));
  }
  const std::string& text() const { return out_; }

 private:
  const Terminal& terminal_;
  std::string out_;
};

std::string facts(const Terminal& terminal, const Json& record) {
  Lines lines(terminal);
  lines.add(is_request(record) ? "request" : "id", shown_text(record, "id"));
  lines.add("ended", when(terminal, record));
  const std::string proxy = shown_text(record, "proxy");
  lines.add("client", fmt::format("{}{}, {}", shown_text(record, "client"), proxy.empty() ? "" : " through " + proxy,
                                  shown_text(record, "protocol")));
  const std::string rule = shown_text(record, "rule");
  const std::string group = shown_text(record, "group");
  lines.add("way", fmt::format("listener {}{}{}", shown_text(record, "listener"), rule.empty() ? "" : ", rule " + rule,
                               group.empty() ? "" : ", group " + group));
  lines.add("asked for", shown_text(record, "rewritten"));
  lines.add("user", shown_text(record, "user"));
  lines.add("call", shown_text(record, "grpc_status"));
  lines.add("bytes", fmt::format("{} came in, {} of a body went out", show_bytes(json_number(record, "received_bytes")),
                                 show_bytes(json_number(record, "sent_bytes"))));
  const std::string defect = shown_text(record, "defect");
  if (!defect.empty()) {
    const std::string words = shown_text(record, "defect_words");
    const std::string kind = shown_text(record, "defect_class");
    const auto at = record.find("defect_at");
    const bool has_place = at != record.end() && at->is_number_unsigned();
    lines.add("defect", fmt::format("{}{}{}{}", defect, kind.empty() ? "" : fmt::format(" ({})", kind),
                                    has_place ? fmt::format(" at byte {}", at->get<std::uint64_t>()) : "",
                                    words.empty() ? "" : ": " + words));
  }
  lines.add("detail", shown_text(record, "detail"));
  return lines.text();
}

std::string attempt_table(const Terminal& terminal, const Json& attempts) {
  const bool has_tls = std::ranges::any_of(attempts, [](const Json& each) { return time(each, "tls_seconds") >= 0; });
  std::vector<Table::Column> columns{{"#", Align::Right},       {"AT", Align::Right},   {"TARGET"}, {"OVER"},
                                     {"CONNECT", Align::Right}, {"HEAD", Align::Right}, {"CAME TO"}};
  if (has_tls) columns.insert(columns.begin() + 5, {"TLS", Align::Right});
  Table table(std::move(columns));
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const Json& each = attempts[i];
    const std::string reason = shown_text(each, "reason");
    const std::uint64_t status = json_number(each, "status");
    const std::string answer = status == 0 ? reason : fmt::format("{}{}{}", status, reason.empty() ? "" : ", ", reason);
    std::vector<Cell> cells{{fmt::format("{}", i + 1)},
                            {show_time(time(each, "began_seconds"))},
                            {shown_text(each, "target")},
                            {shown_text(each, "connection")},
                            {show_time(time(each, "connect_seconds"))},
                            {show_time(time(each, "head_seconds"))},
                            {answer, reason.empty() && status < 500 ? Colour::Plain : Colour::Bad}};
    if (has_tls) cells.insert(cells.begin() + 5, {show_time(time(each, "tls_seconds"))});
    table.row(std::move(cells));
  }
  return table.render(terminal, 2);
}

std::string attempt_notes(const Terminal& terminal, const Json& attempts) {
  std::string out;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const std::string more = shown_text(attempts[i], "text");
    const std::string next = shown_text(attempts[i], "next_words");
    const std::string note = fmt::format("{}{}{}", more, more.empty() || next.empty() ? "" : "; ", next);
    if (!note.empty()) out += fmt::format("  {}: {}\n", i + 1, wrap(note, columns_of(terminal), 5));
  }
  return out;
}

std::string what_happened(const Terminal& terminal, const Json& record) {
  const Json& attempts = list(record, "attempts");
  if (attempts.empty() && !is_request(record)) return {};
  std::string out = attempts.empty() ? "" : attempt_table(terminal, attempts) + attempt_notes(terminal, attempts);
  const double body = time(record, "body_seconds");
  const double answered = time(record, "answered_seconds");
  const double whole = time(record, "duration_seconds");
  std::string times;
  if (const double queued = time(record, "queued_seconds"); queued >= 0) {
    times += fmt::format("It had waited {} for a place at a target. ", show_time(queued));
  }
  if (body > 0.0005) times += fmt::format("The request's body took {} to come, beside this. ", show_time(body));
  if (answered >= 0) times += fmt::format("The answer's head went out after {}; ", show_time(answered));
  times += fmt::format("{} {} in all.", answered >= 0 ? "it took" : "It took", show_time(whole));
  return out + "  " + wrap(times, columns_of(terminal), 2) + "\n";
}

std::string page(const Terminal& terminal, const Json& record) {
  const std::size_t columns_max = columns_of(terminal);
  std::string out = terminal.paint(wrap(verdict(record), columns_max, 0), colour_of(record)) + "\n\n";
  out += terminal.paint(wrap(request_line(record), columns_max, 2), Colour::Strong) + "\n" + facts(terminal, record);
  const std::string happened = what_happened(terminal, record);
  if (!happened.empty()) out += "\n" + happened;
  const std::string advice = shown_text(record, "advice");
  if (!advice.empty()) {
    const bool has_end = advice.ends_with('?') || advice.ends_with('.');
    out += "\n" + wrap(fmt::format("What to look at: {}{}", advice, has_end ? "" : "."), columns_max, 2) + "\n";
  }
  return out;
}

// As much of it as `ballast explain` needs.
std::string short_id(const std::string& id) {
  constexpr std::size_t enough = 12;
  return id.substr(0, enough);
}

std::string table_of(const Terminal& terminal, const Json& records) {
  Table table({{"AT"}, {"ID"}, {"STATUS", Align::Right}, {"REASON"}, {"TOOK", Align::Right}, {"WHAT"}});
  for (const Json& record : records) {
    const std::uint64_t status = json_number(record, "status");
    const std::string reason = shown_text(record, "reason");
    const double answered = time(record, "answered_seconds");
    table.row({{short_time(terminal, record), Colour::Faint},
               {short_id(shown_text(record, "id"))},
               {status == 0 ? "-" : fmt::format("{}", status), colour_of(record)},
               {reason.empty() ? "slow" : reason},
               {show_time(answered < 0 ? time(record, "duration_seconds") : answered)},
               {short_line(record)}});
  }
  return table.render(terminal, 0);
}

// Since when all is there.
std::string reach(const Terminal& terminal, const Json& document) {
  if (json_number(document, "keep") == 0) return "Nothing is kept: `explain.keep` is 0 in the configuration.";
  const std::string since = shown_text(document, "complete_since");
  const auto instant = read_rfc3339(since);
  std::string out = fmt::format(
      "{} records are kept; all there were in the last {}", json_number(document, "kept"),
      instant ? show_span(std::chrono::duration_cast<std::chrono::milliseconds>(terminal.now() - *instant)) : since);
  const std::uint64_t missing = json_number(document, "workers_missing");
  if (missing != 0) out += fmt::format(", but for those of {} workers that did not answer in time", missing);
  return out + ".";
}

}  // namespace

std::string wrap(std::string_view text, std::size_t columns_max, std::size_t indent) {
  std::string out;
  std::size_t used = indent;
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
    const std::size_t wide = columns(word);
    if (!is_first && columns_max > indent && used + 1 + wide > columns_max) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!is_first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += wide;
    is_first = false;
  }
  return out;
}

std::optional<std::string> explain_page(const Terminal& terminal, std::string_view document, ExplainView view) {
  const Json parsed = Json::parse(document, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("records") || !parsed["records"].is_array()) return std::nullopt;
  const Json& records = parsed["records"];
  for (const Json& each : records) {
    if (!each.is_object()) return std::nullopt;
  }
  if (records.empty()) {
    return "Nothing of that is kept. " + reach(terminal, parsed) + "\n";
  }
  if (view == ExplainView::Table) {
    return table_of(terminal, records) + terminal.paint(reach(terminal, parsed), Colour::Faint) + "\n";
  }
  std::string out;
  for (const Json& each : records) out += fmt::format("{}{}", out.empty() ? "" : "\n\n", page(terminal, each));
  return out;
}

}  // namespace ballast::admin

// `ballast explain`: why a request ended as it did.
#include <charconv>

#include <fmt/format.h>

#include "admin/api/request.h"
#include "admin/cli/commands.h"
#include "admin/cli/explain_page.h"
#include "admin/cli/outcome.h"
#include "config/units.h"
#include "config/words.h"

namespace ballast::admin {
namespace {

struct Asked {
  std::string target;  // of the API
  ExplainView view = ExplainView::Full;
};

Result<std::int64_t> whole_number(std::string_view name, std::string_view text, std::int64_t max) {
  const Result<std::int64_t> value = config::parse_integer(text);
  if (value && *value >= 1 && *value <= max) return value;
  return fail(Code::Invalid, fmt::format("{} {}: must be a whole number from 1 to {}", name, text, max));
}

// "--last 502": a status; "--last 5": so many.
Result<Asked> understand(const Invocation& invocation) {
  constexpr std::int64_t count_max = 1'000;
  constexpr std::int64_t table_default = 20;
  const Arguments& given = invocation.arguments;
  const auto wrong = [](std::string text) { return fail(Code::Invalid, std::move(text)); };
  const bool last = given.has("--last");
  std::string word = given.value("--last").value_or("");
  if (!invocation.words().empty()) {
    if (!word.empty()) return wrong("--last takes one number");
    word = invocation.words()[0];
  }
  if (!last && !word.empty()) {
    if (given.has("--reason") || given.has("--listener") || given.has("--slow") || given.has("--count")) {
      return wrong("an ID names one request: --reason, --listener, --slow and --count are for --last");
    }
    const Result<std::int64_t> status = config::parse_integer(word);
    if (status && *status >= 100 && *status <= 599) {
      return wrong(fmt::format("{} is no request's id; `ballast explain --last {}` shows the last with that status",
                               word, word));
    }
    return Asked{.target = fmt::format("/v1/explain/{}?last=5", percent_encode(word))};
  }
  Asked asked;
  std::optional<std::int64_t> count;
  std::string filters;
  if (!word.empty()) {
    const Result<std::int64_t> value = config::parse_integer(word);
    if (value && *value >= 100 && *value <= 599) {
      filters += fmt::format("&status={}", *value);
    } else if (value && *value >= 1 && *value < 100) {
      count = *value;
    } else {
      return wrong(
          fmt::format("--last {}: 100 to 599 is a status, 1 to 99 how many; --count N for more", config::crop(word)));
    }
  }
  if (const auto text = given.value("--count")) {
    const Result<std::int64_t> value = whole_number("--count", *text, count_max);
    if (!value) return fail(value.error());
    count = *value;
  }
  if (const auto reason = given.value("--reason")) filters += fmt::format("&reason={}", percent_encode(*reason));
  if (const auto listener = given.value("--listener"))
    filters += fmt::format("&listener={}", percent_encode(*listener));
  if (given.has("--slow")) filters += "&slow=1";
  // The last of something in full; else an overview.
  const std::int64_t wanted = count.value_or(last ? 1 : table_default);
  asked.view = wanted == 1 ? ExplainView::Full : ExplainView::Table;
  asked.target = fmt::format("/v1/explain?last={}{}", wanted, filters);
  return asked;
}

Exit run(const Invocation& invocation) {
  const Result<Asked> asked = understand(invocation);
  if (!asked) return report_failure(invocation, Exit::BadInput, "invalid", asked.error().text());
  const Result<ApiAnswer> answer = invocation.api.ask({.target = asked->target});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  if (invocation.json()) {
    invocation.terminal.out(answer->body);
    return Exit::Done;
  }
  const std::optional<std::string> page = explain_page(invocation.terminal, answer->body, asked->view);
  if (!page) return report_misunderstanding(invocation);
  invocation.terminal.out(*page);
  return Exit::Done;
}

}  // namespace

Command explain_command() {
  return {
      .name = "explain",
      .summary = "why a request failed or was slow, attempt by attempt, and what to look at",
      .usage = "[ID | --last [STATUS | N]]",
      .details =
          "ID is what the error page names as `request`, the access log as request_id; its first 8 characters\n"
          "will do. Without an ID: a table of what was last, newest first. Kept are errors, slow requests\n"
          "(explain.slow_after) and connections that brought no request.",
      .example =
          "ballast explain --last 502\n"
          "  ballast explain --slow --count 50\n"
          "  ballast explain 0f3c6f6f3a7b",
      .options = {{"--last", "[N]", "the last one in full; 100 to 599: with that status; 1 to 99: a table of so many"},
                  {"--count", "N", "a table of so many, at most 1000"},
                  {"--reason", "CODE", "only with this reason (docs/guide/errors.md)"},
                  {"--listener", "NAME", "only of this listener"},
                  {"--slow", "", "only what was slow"}},
      .words_min = 0,
      .words_max = 1,
      .run = run};
}

}  // namespace ballast::admin

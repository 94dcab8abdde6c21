#include "admin/cli/outcome.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/documents.h"
#include "admin/api/errors.h"

namespace ballast::admin {

namespace {

// Diagnostics are many lines, of which only the line ends may act on the terminal.
std::string printable_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end)) + "\n";
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

// A member that is a string, else what stands there now.
std::string word(const nlohmann::json& object, const char* name, const std::string& otherwise) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : otherwise;
}

}  // namespace

Exit report_failure(const Invocation& invocation, Exit exit, std::string_view code, std::string_view text) {
  if (invocation.json()) {
    invocation.terminal.out(error_document(code, text));
  } else {
    invocation.terminal.error(printable_lines(text));
  }
  return exit;
}

std::optional<Exit> report_failure(const Invocation& invocation, const Result<ApiAnswer>& answer) {
  if (!answer) {
    return report_failure(invocation, Exit::Unreachable, code_word(answer.error().code()), answer.error().text());
  }
  if (answer->status >= 200 && answer->status < 300) return std::nullopt;

  const nlohmann::json body = nlohmann::json::parse(answer->body, nullptr, false);
  std::string text = fmt::format("the running ballast answered {} without saying why", answer->status);
  std::string code = "refused";
  if (body.is_object() && body.contains("error") && body["error"].is_object()) {
    text = word(body["error"], "text", text);
    code = word(body["error"], "code", code);
  }
  const Exit exit = code == "invalid_configuration" ? Exit::BadInput : Exit::Refused;
  if (invocation.json() && body.is_object()) {
    invocation.terminal.out(answer->body);
    return exit;
  }
  return report_failure(invocation, exit, code, text);
}

Exit report_done(const Invocation& invocation, const ApiAnswer& answer, std::string_view sentence) {
  invocation.terminal.out(invocation.json() ? answer.body : fmt::format("{}\n", sentence));
  return Exit::Done;
}

Exit report_misunderstanding(const Invocation& invocation) {
  return report_failure(
      invocation, Exit::Refused, "misunderstood",
      fmt::format("the running ballast's answer is not what this one ({}) understands; `ballast version` "
                  "shows both versions",
                  invocation.version));
}

}  // namespace ballast::admin

// `ballast version`: of this program, and of the one that runs, where one does.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/cli/commands.h"

namespace ballast::admin {

namespace {

Exit run(const Invocation& invocation) {
  using Json = nlohmann::ordered_json;
  // Nobody behind the socket is not an error here: the program's own version is the answer.
  Json document{{"version", std::string(invocation.version)}, {"running", nullptr}};
  const Result<ApiAnswer> answer = invocation.api.ask({.target = "/v1/version", .timeout = std::chrono::seconds(2)});
  if (answer && answer->status == 200) {
    const Json running = Json::parse(answer->body, nullptr, false);
    if (running.is_object() && running.contains("version") && running["version"].is_string()) {
      document["running"] = running["version"];
    }
  }
  if (invocation.json()) {
    invocation.terminal.out(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return Exit::Done;
  }
  std::string text = fmt::format("ballast {}\n", invocation.version);
  if (!document["running"].is_null() && document["running"] != document["version"]) {
    text += fmt::format("running: {}\n", printable(document["running"].get<std::string>()));
  }
  invocation.terminal.out(text);
  return Exit::Done;
}

}  // namespace

Command version_command() {
  return {.name = "version",
          .summary = "the version of this program, and of the running one where it differs",
          .usage = "",
          .details = "",
          .example = "ballast version",
          .options = {},
          .run = run};
}

}  // namespace ballast::admin

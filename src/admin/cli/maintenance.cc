// `ballast maintenance on|off LISTENER`: a page instead of the service, while something is being done to it.
#include <algorithm>

#include <fmt/format.h>

#include "admin/api/request.h"
#include "admin/cli/ask.h"
#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"
#include "config/words.h"

namespace ballast::admin {

namespace {

Exit run(const Invocation& invocation) {
  const std::vector<std::string> actions{"on", "off"};
  const std::string& action = invocation.words()[0];
  const std::string& listener = invocation.words()[1];
  if (std::ranges::find(actions, action) == actions.end()) {
    return report_failure(invocation, Exit::BadInput, "invalid",
                          fmt::format("unknown action {}{} (there are on and off)", config::quote(action),
                                      config::did_you_mean(action, actions)));
  }
  const bool is_on = action == "on";
  const Result<ApiAnswer> answer =
      ask_for_change(invocation, {.method = is_on ? "PUT" : "DELETE",
                                  .target = fmt::format("/v1/listeners/{}/maintenance", percent_encode(listener))});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  return report_done(
      invocation, *answer,
      is_on ? fmt::format("{}: under maintenance; requests get 503 and the page, those under way finish", listener)
            : fmt::format("{}: maintenance is over; it serves", listener));
}

}  // namespace

Command maintenance_command() {
  return {.name = "maintenance",
          .summary = "show a page instead of a listener's service",
          .usage = "on|off LISTENER",
          .details =
              "on    requests are answered with 503 and the listener's maintenance page, but for those from the\n"
              "      networks of maintenance.except. Stays so over restarts, until off.\n"
              "off   it serves again.",
          .example = "ballast maintenance on web",
          .options = {},
          .words_min = 2,
          .words_max = 2,
          .run = run};
}

}  // namespace ballast::admin

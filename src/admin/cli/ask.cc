#include "admin/cli/ask.h"

#include <nlohmann/json.hpp>

namespace ballast::admin {
namespace {

bool is_busy(const Result<ApiAnswer>& answer) {
  if (!answer || answer->status != 503) return false;
  const auto document = nlohmann::json::parse(answer->body, nullptr, false);
  return document.is_object() && document.contains("error") && document["error"].is_object() &&
         document["error"].value("code", nlohmann::json()) == "busy";
}

}  // namespace

Result<ApiAnswer> ask_for_change(const Invocation& invocation, const ApiQuestion& question) {
  constexpr auto pause = std::chrono::milliseconds(200);
  constexpr int times_max = 450;  // 90 s: an upgrade is given up after 65
  for (int times = 1;; ++times) {
    Result<ApiAnswer> answer = invocation.api.ask(question);
    if (!is_busy(answer) || times == times_max) return answer;
    if (times == 1) invocation.terminal.error("an upgrade is under way; waiting for it\n");
    invocation.api.pause(pause);
  }
}

}  // namespace ballast::admin

#include "traffic/explain/attempt_note.h"

#include <array>

namespace ballast::traffic {
namespace {

struct Row {
  std::string_view name;
  std::string_view words;
};

constexpr std::array<Row, again_count> rows{{
    {"", ""},
    {"next_target", "the next target was asked"},
    {"same_target", "the connection had been at rest; asked again over a new one"},
    {"attempts_used", "not again: `retries.attempts` were used up"},
    {"not_idempotent", "not again: the method may change something, and the target may have acted upon it"},
    {"body_sent", "not again: part of the request's body had been sent, and it is not kept"},
    {"may_have_acted", "not again: the target has the request and may still act upon it"},
    {"budget", "not again: the group's retry budget was used up"},
    {"no_target_left", "not again: no other target was left"},
    {"call_over", "not again: the call's deadline, or the target's pushback, leaves no time"},
    {"client_gone", "not again: the client had gone"},
    {"stopped", "not again: it was called off"},
}};

}  // namespace

std::string_view to_string(Again again) {
  return rows[static_cast<std::size_t>(again)].name;
}
std::string_view explain(Again again) {
  return rows[static_cast<std::size_t>(again)].words;
}

}  // namespace ballast::traffic

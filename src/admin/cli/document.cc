#include "admin/cli/document.h"

#include "admin/cli/terminal.h"

namespace ballast::admin {

std::string shown_text(const nlohmann::json& json, const char* name) {
  return printable(json_text(json, name));
}

std::string shown_time(const nlohmann::json& json, const char* name) {
  // "2026-11-21T10:00:00.000Z" reads better with a blank and without the thousandths.
  const std::string at = shown_text(json, name);
  return at.size() == 24 ? at.substr(0, 10) + " " + at.substr(11, 8) + "Z" : at;
}

}  // namespace ballast::admin

#include "traffic/route/shaping.h"

#include <fmt/format.h>

namespace ballast::traffic {

Result<std::shared_ptr<const Shaping>> Shaping::compile(const config::Rule& rule, const GroupIndex& group_index) {
  auto shaping = std::make_shared<Shaping>();
  Result<HeaderEdits> request = HeaderEdits::compile(rule.request_headers, rule.remove_request_headers);
  if (!request) return fail(std::move(request.error()).within("request_headers"));
  shaping->request = *std::move(request);
  Result<HeaderEdits> response = HeaderEdits::compile(rule.response_headers, rule.remove_headers);
  if (!response) return fail(std::move(response.error()).within("response_headers"));
  shaping->response = *std::move(response);
  if (rule.rewrite.has_value()) {
    auto rewrite = PathRewrite::compile(*rule.rewrite);
    if (!rewrite) return fail(std::move(rewrite.error()));
    shaping->rewrite = *std::move(rewrite);
  }
  shaping->faults = rule.faults;
  if (rule.mirror.has_value()) {
    const auto index = group_index(rule.mirror->group);
    if (!index) return fail(Code::NotFound, fmt::format("mirror: no target group \"{}\"", rule.mirror->group));
    shaping->mirror = MirrorTo{.group_index = *index, .settings = *rule.mirror};
  }
  const bool does_nothing = shaping->request.empty() && shaping->response.empty() && shaping->rewrite == nullptr &&
                            shaping->faults.empty() && !shaping->mirror.has_value();
  return does_nothing ? nullptr : shaping;
}

}  // namespace ballast::traffic

// The calls that change the whole configuration: plan, apply, reload.
//
// The body is YAML (its name in ?file=, whose folder is where includes are looked for), or JSON {"path":
// "/abs/file.yaml"} for a file that the server reads itself. Whoever reaches the socket may do all that ballast may,
// reading files included.
#pragma once

#include "admin/api/config_source.h"
#include "admin/api/request.h"
#include "model/service.h"

namespace ballast::admin {

ApiResponse post_plan(const ApiRequest& request, const Target& target, model::Service& service,
                      const ConfigSource& configurations);
ApiResponse post_apply(const ApiRequest& request, const Target& target, model::Service& service,
                       const ConfigSource& configurations);
ApiResponse post_reload(model::Service& service);

}  // namespace ballast::admin

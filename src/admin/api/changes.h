// The calls that change the whole configuration: plan, apply, reload. With ?confirm=60s a change is taken back unless
// it is confirmed by then.
//
// The body is YAML (its name in ?file=, whose folder is where includes are looked for), or JSON {"path":
// "/abs/file.yaml"} for a file that the server reads itself. Whoever reaches the socket may do all that ballast may,
// reading files included.
#pragma once

#include "admin/api/config_source.h"
#include "admin/api/request.h"
#include "cluster/changes.h"

namespace ballast::admin {

ApiResponse post_plan(const ApiRequest& request, const Target& target, model::Service& service,
                      const ConfigSource& configurations);
ApiResponse post_apply(const ApiRequest& request, const Target& target, cluster::Changes& changes,
                       const ConfigSource& configurations);
ApiResponse post_reload(const ApiRequest& request, const Target& target, cluster::Changes& changes);

}  // namespace ballast::admin

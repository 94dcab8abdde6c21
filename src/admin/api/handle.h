// The admin API as a function: a request and the running balancer in, a response out. No waiting, no transport.
//
// Called on the control thread. Every error is JSON {"error": {"code", "text"}} with a fitting status; a configuration
// that cannot be is 422 with its diagnostics as text and as a list. The paths are the table in handle.cc;
// docs/guide/api.md says what each is for.
#pragma once

#include <string>

#include "admin/api/config_source.h"
#include "admin/api/request.h"
#include "cluster/changes.h"
#include "model/service.h"

namespace ballast::admin {

struct ApiContext {
  const ConfigSource& configurations;
  cluster::Changes& changes;  // over the service
  std::string socket_path;    // named to those who try at the wrong door
};

ApiResponse handle(const ApiRequest& request, model::Service& service, const ApiContext& context);

}  // namespace ballast::admin

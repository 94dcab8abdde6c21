// The calls about changes that were made: the history, going back to an entry of it, and confirming one.
//
//   GET  /v1/history?before=ID&limit=N   the newest first, 20 unless said otherwise, and what waits to be confirmed
//   GET  /v1/history/ID                  one, with the text of its configuration's main file
//   POST /v1/rollback/ID?confirm=60s     as apply, with what that entry's configuration was read from
//   POST /v1/confirm
#pragma once

#include <expected>

#include "admin/api/request.h"
#include "cluster/changes.h"

namespace ballast::admin {

ApiResponse get_history(const Target& target, const cluster::Changes& changes);
ApiResponse get_history_entry(const Target& target, const cluster::Changes& changes);
ApiResponse post_rollback(const ApiRequest& request, const Target& target, cluster::Changes& changes);
ApiResponse post_confirm(const ApiRequest& request, cluster::Changes& changes);

model::Actor actor_of(const ApiRequest& request);
// Who asks, and ?confirm=TIME; or the response that refuses it.
std::expected<cluster::Changes::Request, ApiResponse> change_request(const ApiRequest& request, const Target& target);

}  // namespace ballast::admin

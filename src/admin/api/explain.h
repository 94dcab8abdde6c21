// GET /v1/explain and GET /v1/explain/ID: what is kept of errors and slow requests. Over the socket alone: clients'
// addresses and the paths they asked for are in it.
#pragma once

#include <string>

#include "admin/api/request.h"
#include "model/service.h"

namespace ballast::admin {

ApiResponse get_explain(const Target& target, model::Service& service);
std::string explain_document(const model::ExplainAnswer& answer);

}  // namespace ballast::admin

// session_target: the target that a request's session belongs to, as the session's id says: servlet containers end it
// in a dot and their jvmRoute (Tomcat: "A1B2.tomcat1").
//
// A pure function. What it reads is the client's and proves nothing: it chooses among targets that any request may go
// to.
#pragma once

#include <cstdint>
#include <optional>

#include "config/settings.h"
#include "traffic/balance/session_routes.h"
#include "wire/http/message.h"

namespace ballast::traffic {

// The path parameter goes before the cookies, and the first that names a known route decides: a browser may hold
// cookies of several applications. None: no session, or its target cannot take it.
std::optional<std::uint32_t> session_target(const http::RequestHead& head, const config::SessionRoute& settings,
                                            const SessionRoutes& routes);

}  // namespace ballast::traffic

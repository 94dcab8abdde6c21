// RequestFacts: what rules are matched against; views that the request keeps alive. A TCP connection has only a source,
// and of a TLS one its SNI.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::traffic {

struct RequestFacts {
  Bytes host;   // without the port, as sent
  Bytes path;   // as sent: percent-encoding is not undone, so that a rule sees what the target will see
  Bytes query;  // behind the '?'
  Bytes method;
  const http::Fields* fields = nullptr;
  Bytes sni;                              // of a TLS client that named a host
  std::array<std::uint8_t, 16> source{};  // the client's address (after trusted proxies), v4 as v4-mapped v6
};

}  // namespace ballast::traffic

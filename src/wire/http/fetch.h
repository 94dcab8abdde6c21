// fetch: one HTTP/1.1 request over a stream of our own and its whole response: what the CLI asks the running ballast
// with, and what keys of tokens and certificates are fetched with. Over TLS where the request has a context for it.
//
// Bounded in time by the deadline and in size by FetchRequest::response_bytes_max. The connection is closed afterwards.
// Redirects are not followed. fetch_url() looks the name up and tries its addresses in their order; its Errors name the
// place and what went wrong on the way there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "io/address.h"
#include "io/deadline.h"
#include "io/task.h"
#include "wire/http/url.h"
#include "wire/tls/client_context.h"

namespace ballast::io {
class Loop;
class Resolver;
}  // namespace ballast::io

namespace ballast::http {

struct FetchField {
  std::string name;
  std::string value;
};

struct FetchRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string host = "ballast";
  std::string content_type = {};
  std::vector<FetchField> fields = {};  // further ones
  std::string body = {};
  std::shared_ptr<const tls::ClientContext> tls = {};  // nullptr: in clear
  std::string server_name = {};                        // asked for and verified; with `tls`
  // A status of a thousand groups with a thousand targets is half of this.
  std::size_t response_bytes_max = 512 * mib;
};

struct FetchResponse {
  int status = 0;
  std::string body;
  std::vector<FetchField> fields;  // bounded by the limits of a head

  // The first of that name, without regard to case; empty: there is none.
  std::string_view field(std::string_view name) const;
};

io::Task<Result<FetchResponse>> fetch(io::Loop& loop, io::SocketAddress to, FetchRequest request,
                                      io::Deadline deadline);

// `request`'s target, host and server name are the URL's. An https one needs `request.tls`.
io::Task<Result<FetchResponse>> fetch_url(io::Loop& loop, io::Resolver& resolver, Url url, FetchRequest request,
                                          io::Deadline deadline);

}  // namespace ballast::http

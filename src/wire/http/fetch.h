// fetch: one HTTP/1.1 request over a stream of our own and its whole response: what the CLI asks the running ballast
// with, and what keys of tokens are fetched with.
//
// Bounded in time by the deadline and in size by FetchRequest::response_bytes_max. The connection is closed afterwards.
#pragma once

#include <string>

#include "base/bytes.h"
#include "io/address.h"
#include "io/deadline.h"
#include "io/task.h"

namespace ballast::io {
class Loop;
}

namespace ballast::http {

struct FetchRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string host = "ballast";
  std::string content_type = {};
  std::string body = {};
  // A status of a thousand groups with a thousand targets is half of this.
  std::size_t response_bytes_max = 512 * mib;
};

struct FetchResponse {
  int status = 0;
  std::string body;
};

io::Task<Result<FetchResponse>> fetch(io::Loop& loop, io::SocketAddress to, FetchRequest request,
                                      io::Deadline deadline);

}  // namespace ballast::http

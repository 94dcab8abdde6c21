// Echo: what `ballast whoami` answers: who it is and what it was asked, as text or, with ?json, as JSON.
//
//   /             name, process, host, remote address, request line and headers as received
//   /healthz      200 "ok"
//   /sleep/MS     the same as /, that many milliseconds later (at most 10 minutes)
//   /status/CODE  the same with that status (200 to 599)
//   /bytes/N      N bytes of 'x' (at most 1 GiB)
#pragma once

#include <cstdint>
#include <string>

#include "admin/serve/small_server.h"

namespace ballast::admin {

struct Identity {
  std::string name;
  std::string host;
  std::int64_t pid = 0;
};

class Echo final : public Answerer {
 public:
  Echo(io::Loop& loop, Identity identity) : loop_(loop), identity_(std::move(identity)) {}
  io::Task<HttpAnswer> answer(const HttpQuestion& question) override;
  HttpAnswer refuse(int status, std::string text) override;

 private:
  HttpAnswer describe(const HttpQuestion& question) const;

  io::Loop& loop_;
  Identity identity_;
  std::uint64_t requests_ = 0;
};

}  // namespace ballast::admin

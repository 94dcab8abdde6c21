// Fuzzes what is read of a gRPC server's answers to a health check: no more is read than there is, a message that is
// cut is none, and a status is found in trailers only where one stands.
//
// The canary holds that no message is longer than its prefix and one byte.
#include <cstdint>
#include <memory>

#include "require.h"
#include "wire/grpc/health.h"
#include "wire/grpc/status.h"

namespace {

using namespace ballast;
using ballast::fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  const auto whole = grpc::parse_health_response(input);
  if (whole.has_value()) {
#ifdef BALLAST_CANARY
    require(size < 7, "nothing is a message");
#endif
    require(size >= 5 && input[0] == '\0', "it has its prefix");
    for (std::size_t cut = 0; cut < size && cut < 300; ++cut) {
      const std::unique_ptr<char[]> copy(new char[cut]);
      input.copy(copy.get(), cut);
      require(!grpc::parse_health_response({copy.get(), cut}).has_value(), "a cut message is none");
    }
  }
  const auto status = grpc::status_in_trailers(input);
  if (status.has_value()) {
    require(input.find(':') != Bytes::npos, "it has a name");
    require(!to_string(*status).empty(), "it has words");
  }
  return 0;
}

// Fuzzes ClientHelloReader: the same verdict, name and protocols however the input is cut, and however the message is
// cut into records. The first byte of the input chooses the cuts; the second whether the rest is bytes of a connection
// or a message to be put into records.
//
// The canary forgets the name where it begins with "xn--".
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "require.h"
#include "wire/tls/client_hello.h"

namespace {

using namespace ballast;
using namespace ballast::tls;
using ballast::fuzz::require;
using Progress = ClientHelloReader::Progress;

struct Read {
  Progress progress = Progress::NeedMore;
  HelloDefect defect = HelloDefect::None;
  std::string name;
  std::vector<std::string> alpn;
  friend bool operator==(const Read&, const Read&) = default;
};

Read read(Bytes bytes, std::size_t piece) {
  ClientHelloReader reader;
  Read result;
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    const std::unique_ptr<char[]> copy(new char[size]);
    bytes.copy(copy.get(), size);
    const Progress progress = reader.feed({copy.get(), size});
    require(result.progress == Progress::NeedMore || progress == result.progress, "it says the same again");
    result.progress = progress;
    bytes.remove_prefix(size);
  }
  result.defect = reader.defect();
  require((result.progress == Progress::Failed) == (result.defect != HelloDefect::None), "a failure has a defect");
  result.name = reader.hello().server_name;
#ifdef BALLAST_CANARY
  if (piece == 1 && result.name.starts_with("xn--")) result.name.clear();
#endif
  for (const Bytes name : reader.hello().alpn) result.alpn.emplace_back(name);
  return result;
}

std::string in_records(Bytes message, std::size_t piece) {
  std::string bytes;
  for (std::size_t at = 0; at < message.size(); at += piece) {
    const Bytes part = message.substr(at, piece);
    bytes += "\x16\x03\x01";
    bytes += static_cast<char>(part.size() >> 8);
    bytes += static_cast<char>(part.size() & 255);
    bytes += part;
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + data[0];
  const Bytes input(reinterpret_cast<const char*>(data + 2), size - 2);
  const bool as_message = data[1] % 2 == 1;
  const std::string bytes = as_message ? in_records(input, 16384) : std::string(input);
  const Read whole = read(bytes, SIZE_MAX);
  require(read(bytes, 1) == whole, "the same byte by byte");
  require(read(bytes, piece) == whole, "the same in pieces");
  // Limits on the records' heads apart, a message is the same in records of any size.
  if (as_message && input.size() * (piece + 5) / piece < client_hello_raw_bytes_max - 16384) {
    require(read(in_records(input, piece), SIZE_MAX) == whole, "the same in records");
  }
  return 0;
}

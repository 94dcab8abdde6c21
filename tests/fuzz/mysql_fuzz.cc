// Fuzzes the parser of MySQL's first packets: a beginning gives "need more" or the verdict of the whole, however it is
// cut, and every view lies in the packet.
//
// The canary forgets the text of an error 1129.
#include <cstdint>
#include <memory>
#include <string>

#include "require.h"
#include "wire/mysql/handshake.h"

namespace {

using namespace ballast;
using namespace ballast::mysql;
using ballast::fuzz::require;

bool lies_in(Bytes field, Bytes whole) {
  return field.empty() || (field.data() >= whole.data() && field.data() + field.size() <= whole.data() + whole.size());
}

void check(Bytes input, Stage stage) {
  const Packet whole = parse(input, stage);
  std::string text(whole.text);
#ifdef BALLAST_CANARY
  if (whole.code == 1129) text.clear();
#endif
  if (whole.kind != Kind::NeedMore && whole.kind != Kind::Malformed) {
    require(whole.size <= input.size() && whole.size <= packet_bytes_max + 4, "no more than there is");
    const Bytes packet = input.substr(0, whole.size);
    require(lies_in(whole.server_version, packet) && lies_in(whole.text, packet), "fields lie in the packet");
  }
  for (std::size_t size = 0; size < input.size() && size < 300; ++size) {
    const std::unique_ptr<char[]> copy(new char[size]);
    input.copy(copy.get(), size);
    const Packet cut = parse({copy.get(), size}, stage);
    if (cut.kind == Kind::NeedMore) continue;
    require(cut.kind == whole.kind && cut.code == whole.code && cut.text == text, "the same verdict");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  check(input, Stage::Greeting);
  check(input, Stage::Authentication);
  return 0;
}

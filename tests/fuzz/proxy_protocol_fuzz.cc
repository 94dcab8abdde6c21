// Fuzzes the PROXY protocol's parser: a beginning gives "need more" or the verdict of the whole, however it is cut; a
// header never reaches behind its bytes; and what was told, written afresh in both versions, tells the same.
//
// The canary forgets the port of a version 2 source of which both bytes are the same.
#include <cstdint>
#include <memory>
#include <string>

#include "require.h"
#include "wire/proxy_protocol/header.h"

namespace {

using namespace ballast;
using namespace ballast::proxy_protocol;
using ballast::fuzz::require;

bool lies_in(Bytes field, Bytes whole) {
  return field.empty() || (field.data() >= whole.data() && field.data() + field.size() <= whole.data() + whole.size());
}

void require_same_when_cut(Bytes input, std::size_t size, const Outcome& whole, const Header& header) {
  const std::unique_ptr<char[]> copy(new char[size]);
  input.copy(copy.get(), size);
  Header cut_header;
  const Outcome cut = parse({copy.get(), size}, cut_header);
  if (whole.progress == Progress::Complete && size >= header.size) {
    require(cut == whole && cut_header.size == header.size, "a whole header stays one");
  } else if (whole.progress == Progress::Failed) {
    require(cut.progress == Progress::NeedMore || cut == whole, "the same defect");
  } else {
    require(cut.progress == Progress::NeedMore, "more is needed of what is not whole");
  }
}

void require_written_alike(const Header& header, Version version) {
  // Version 1 has no form for addresses of two kinds, and neither for datagrams.
  if (version == Version::V1 &&
      (header.source.is_v4() != header.destination.is_v4() || header.transport == Transport::Datagram)) {
    return;
  }
  Buffer out;
  write(out, version,
        {.source = header.source,
         .destination = header.destination,
         .transport = header.transport,
         .authority = header.authority.substr(0, 1000),
         .unique_id = header.unique_id});
  Header again;
  require(parse(out.view(), again).progress == Progress::Complete && again.size == out.size(), "written is whole");
#ifdef BALLAST_CANARY
  if (version == Version::V2 && again.source.port != 0 && (again.source.port & 255) == again.source.port >> 8) {
    again.source.port = 0;
  }
#endif
  require(again.source == header.source && again.destination == header.destination, "written tells the same");
  require(again.transport == header.transport, "and of the same transport");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(reinterpret_cast<const char*>(data + 1), size - 1);
  Header header;
  const Outcome whole = parse(input, header);
  if (whole.progress == Progress::Complete) {
    require(header.size <= input.size() && header.size <= header_bytes_max, "no more than there is");
    for (const Bytes field : {header.authority, header.alpn, header.unique_id}) {
      require(lies_in(field, input.substr(0, header.size)), "fields lie in the header");
    }
    if (header.origin == Origin::Told) {
      require_written_alike(header, Version::V1);
      require_written_alike(header, Version::V2);
    }
  }
  for (std::size_t cut = 0; cut < input.size() && cut < 300; ++cut) require_same_when_cut(input, cut, whole, header);
  require_same_when_cut(input, input.size() * data[0] / 256, whole, header);
  return 0;
}

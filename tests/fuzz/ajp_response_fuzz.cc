// What a container sends: packets in any cutting, and the heads in them. Whatever comes, every packet is within its
// bounds, a cut stream is read as the whole one, and what passes for a head reads back from the text that it became.
//
// The canary reads beyond the packet of a chunk that begins with a certain word.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "require.h"
#include "wire/ajp/container_packet.h"
#include "wire/ajp/packet.h"

namespace {

using namespace ballast;
using ballast::fuzz::require;

constexpr std::size_t packet_bytes = 600;

struct Read {
  std::string log;
  bool failed = false;
};

void judge_head(Bytes data, std::string& log) {
  Buffer text;
  http::ResponseHead head;
  http::Outcome outcome;
  const http::HeadLimits limits{.line = 400, .header = 400, .head = 500};
  if (!ajp::read_response_head(data, limits, {}, text, head, outcome)) {
    require(outcome.defect != http::Defect::None, "a refused head has a defect");
    return;
  }
  require(head.status >= 100 && head.status <= 599, "a status is three digits");
  require(head.size == text.size(), "a head is all of its text");
  require(head.framing != http::Framing::UntilClose, "a body ends with its packet");
  for (const http::Field& field : head.fields) {
    require(field.id != http::HeaderId::TransferEncoding && field.id != http::HeaderId::Connection,
            "no field of the connection passes");
    require(head.fields.value(field).find_first_of(Bytes("\r\n\0", 3)) == Bytes::npos, "no line end in a value");
  }
  log += std::string(text.view());
}

// Reads all packets; pieces of the input become visible one after the other, each in a block of its own size.
Read read_all(Bytes input, std::size_t piece) {
  Read read;
  std::size_t seen = 0;
  std::size_t at = 0;
  while (true) {
    const std::size_t size = seen - at;
    const std::unique_ptr<char[]> copy(new char[size]);
    input.substr(at, size).copy(copy.get(), size);
    ajp::Packet packet;
    const ajp::PacketOutcome outcome = ajp::parse_packet({copy.get(), size}, packet_bytes, packet);
    if (outcome.progress == http::Progress::Failed) {
      require(outcome.defect != ajp::PacketDefect::None, "a refused packet has a defect");
      read.failed = true;
      return read;
    }
    if (outcome.progress == http::Progress::NeedMore) {
      require(size < packet_bytes, "a whole packet is judged");
      if (seen == input.size()) return read;
      seen = std::min(input.size(), seen + piece);
      continue;
    }
    require(packet.size > ajp::packet_head_bytes && packet.size <= size && packet.size <= packet_bytes,
            "a packet keeps its bounds");
    Bytes data = packet.data;
#ifdef BALLAST_CANARY
    if (packet.kind == ajp::PacketKind::BodyChunk && data.starts_with("AJP!")) data = {data.data(), 4096};
#endif
    read.log += static_cast<char>(packet.kind);
    read.log += data;
    if (packet.kind == ajp::PacketKind::GetBody) read.log += std::to_string(packet.wanted);
    if (packet.kind == ajp::PacketKind::EndResponse) read.log += packet.reuse ? '1' : '0';
    if (packet.kind == ajp::PacketKind::Headers) judge_head(data, read.log);
    at += packet.size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  const Bytes input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Read whole = read_all(input, input.size() + 1);
  const Read cut = read_all(input, 1 + data[0] % 16);
  require(whole.log == cut.log && whole.failed == cut.failed, "a cut stream is read as the whole one");
  return 0;
}

#include "wire/http/outgoing.h"

#include "wire/http/head_writer.h"

namespace ballast::http {
namespace {

void write_lines(HeadWriter& head, std::span<const FieldLine> lines) {
  for (const FieldLine& line : lines) head.field(line.name, line.value);
}

void write_framing(HeadWriter& head, const OutgoingFraming& framing) {
  if (framing.framing == Framing::Length || framing.states_length) {
    head.field("Content-Length", framing.length);
  } else if (framing.framing == Framing::Chunked) {
    head.raw("Transfer-Encoding: chunked\r\n");
  }
  switch (framing.use) {
    case ConnectionUse::KeepAlive:
      if (framing.peer_minor_version == 0) head.raw("Connection: keep-alive\r\n");
      break;
    case ConnectionUse::Close:
      head.raw("Connection: close\r\n");
      break;
    case ConnectionUse::Upgrade:
      head.raw("Connection: Upgrade\r\n");
      head.field("Upgrade", framing.upgrade);
      break;
  }
  head.end();
}

}  // namespace

void write_head(Buffer& out, const OutgoingRequest& request, const OutgoingFraming& framing) {
  HeadWriter head(out);
  head.request_line(request.method, request.target);
  write_lines(head, request.lines);
  write_framing(head, framing);
}

void write_head(Buffer& out, const OutgoingResponse& response, const OutgoingFraming& framing) {
  HeadWriter head(out);
  head.status_line(response.status, response.reason);
  write_lines(head, response.lines);
  write_framing(head, framing);
}

}  // namespace ballast::http

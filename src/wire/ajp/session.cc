#include "wire/ajp/session.h"

#include <cstring>
#include <utility>

namespace ballast::ajp {

io::Task<Result<>> Session::send(const ForwardRequest& request, BodyBegun body, std::size_t packet_bytes,
                                 io::Duration idle) {
  packet_bytes_ = packet_bytes;
  in_body_ = false;
  reusable_ = false;
  if (Result<> written = write_forward_request(sink_.begin(packet_bytes), request, packet_bytes); !written)
    co_return written;
  sink_.hold(body.bytes);
  if (body.is_whole) sink_.end();
  if (request.content_length.value_or(0) > 0) sink_.owe_first();
  const std::size_t size = sink_.pending_bytes();
  Result<> sent = co_await sink_.flush(idle);
  if (!sent) {
    const Retry retry = sink_.pending_bytes() == size ? Retry::Always : Retry::IfReused;
    co_return fail(std::move(sent.error()).safe_to_retry(retry));
  }
  co_return sent;
}

io::Task<http::RelayResult> Session::upload(Buffer& out, http::Body& body, http::RelayLimits limits) {
  http::RelayResult result = co_await http::relay(out, body, http::Framing::Length, sink_, limits);
  if (result.end != http::RelayEnd::Done) co_return result;
  sink_.end();
  if (const Result<> sent = co_await sink_.flush(limits.sink_idle); !sent) {
    result.end = sent.error().code() == Code::Cancelled ? http::RelayEnd::Cancelled : http::RelayEnd::SinkFailed;
    result.code = sent.error().code();
  }
  co_return result;
}

Session::Look Session::next_packet() {
  while (true) {
    if (reader_.has_held()) {
      Look look{.kind = Look::Kind::Packet};
      const PacketOutcome outcome = parse_packet(reader_.held(), packet_bytes_, look.packet);
      if (outcome.progress == http::Progress::Failed) return {.kind = Look::Kind::Malformed};
      if (outcome.progress == http::Progress::Complete) {
        if (look.packet.kind != PacketKind::GetBody) return look;
        reader_.consume(look.packet.size);
        // Serving it may pull the client's body through the buffer that the rest of ours lies in.
        reader_.keep();
        if (!sink_.ask(look.packet.wanted)) return {.kind = Look::Kind::Malformed};
        if (const std::optional<Code> failed = sink_.push(); failed.has_value()) {
          return {.kind = Look::Kind::Lost, .code = *failed};
        }
        continue;
      }
    }
    const io::Transfer got = reader_.stream().may_read() ? reader_.receive() : io::Transfer{};
    switch (got.state) {
      case io::TransferState::Done:
        continue;
      case io::TransferState::WouldBlock:
        reader_.keep();
        return {};
      case io::TransferState::End:
        return {.kind = Look::Kind::Lost, .code = Code::Closed};
      case io::TransferState::Failed:
        return {.kind = Look::Kind::Lost, .code = got.code};
    }
  }
}

Session::HeadStep Session::try_head(http::ResponseParser::Question question, const http::HeadLimits& limits,
                                    http::ResponseHead& head) {
  using Kind = HeadStep::Kind;
  const HeadStep malformed{.kind = Kind::Malformed, .defect = http::Defect::BadAjpPacket};
  while (true) {
    const Look look = next_packet();
    switch (look.kind) {
      case Look::Kind::Waiting:
        return {};
      case Look::Kind::Malformed:
        return malformed;
      case Look::Kind::Lost:
        return {.kind = Kind::Lost, .code = look.code, .began = in_body_ || reader_.has_held()};
      case Look::Kind::Packet:
        break;
    }
    const Packet& packet = look.packet;
    if (in_body_) {
      // A response without a body: nothing of it is wanted but its end.
      reader_.consume(packet.size);
      if (packet.kind == PacketKind::BodyChunk) continue;
      if (packet.kind != PacketKind::EndResponse) return malformed;
      reusable_ = packet.reuse;
      return {.kind = Kind::Complete};
    }
    if (packet.kind != PacketKind::Headers) return malformed;
    http::Outcome outcome;
    if (!read_response_head(packet.data, limits, question, head_bytes_, head, outcome)) {
      return {.kind = Kind::Malformed, .defect = outcome.defect};
    }
    reader_.consume(packet.size);
    if (head.status == 101) return malformed;  // nothing can be switched to
    if (head.status < 200) return {.kind = Kind::Complete};
    in_body_ = true;
    body_.begin(head.framing, head.content_length);
    if (head.framing != http::Framing::None) return {.kind = Kind::Complete};
  }
}

void ResponseBody::begin(http::Framing framing, std::uint64_t length) {
  framing_ = framing;
  left_ = framing == http::Framing::Length ? length : UINT64_MAX;
  ended_ = framing == http::Framing::None;
  broken_.reset();
}

io::Ready ResponseBody::until_ready(io::Deadline deadline) {
  return session_.reader_.stream().until_readable(deadline);
}

std::optional<std::uint64_t> ResponseBody::left() const {
  if (ended_) return 0;
  return framing_ == http::Framing::Length ? std::optional(left_) : std::nullopt;
}

http::Pulled ResponseBody::fail(Code code) {
  broken_ = code;
  const http::Defect defect = code == Code::Malformed ? http::Defect::BadAjpPacket : http::Defect::None;
  return {http::PullState::Failed, code, defect, {}};
}

http::Pulled ResponseBody::try_pull() {
  if (broken_.has_value()) return fail(*broken_);
  while (!ended_) {
    const Session::Look look = session_.next_packet();
    switch (look.kind) {
      case Session::Look::Kind::Waiting:
        return {http::PullState::WouldBlock, Code::Closed, http::Defect::None, {}};
      case Session::Look::Kind::Malformed:
        return fail(Code::Malformed);
      case Session::Look::Kind::Lost:
        return fail(look.code);
      case Session::Look::Kind::Packet:
        break;
    }
    if (look.packet.kind == PacketKind::EndResponse) {
      if (!take_end(look.packet)) return fail(Code::Closed);
    } else if (look.packet.kind != PacketKind::BodyChunk) {
      return fail(Code::Malformed);
    } else if (look.packet.data.empty()) {
      session_.reader_.consume(look.packet.size);  // the container flushes; we always do
    } else {
      return take_chunks(look.packet);
    }
  }
  return {http::PullState::End, Code::Closed, http::Defect::None, {}};
}

// Takes the chunks that have come and moves their data together, and their end with them where it is there.
http::Pulled ResponseBody::take_chunks(Packet packet) {
  // The bytes are ours, in the loop's buffer or the reader's own.
  char* data = const_cast<char*>(packet.data.data());
  std::size_t gathered = 0;
  while (true) {
    if (packet.kind != PacketKind::BodyChunk) break;
    if (packet.data.size() > left_) return fail(Code::Malformed);
    if (framing_ == http::Framing::Length) left_ -= packet.data.size();
    if (data + gathered != packet.data.data()) std::memmove(data + gathered, packet.data.data(), packet.data.size());
    gathered += packet.data.size();
    session_.reader_.consume(packet.size);
    if (parse_packet(session_.reader_.held(), session_.packet_bytes_, packet).progress != http::Progress::Complete) {
      break;  // more is to come, or something that the next pull judges
    }
    if (packet.kind == PacketKind::EndResponse) {
      if (left_ == 0 || framing_ != http::Framing::Length) take_end(packet);
      break;
    }
  }
  return {http::PullState::Data, Code::Closed, http::Defect::None, {data, gathered}};
}

// False: the body is shorter than was stated.
bool ResponseBody::take_end(const Packet& packet) {
  if (framing_ == http::Framing::Length && left_ != 0) return false;
  session_.reader_.consume(packet.size);
  session_.reusable_ = packet.reuse;
  ended_ = true;
  return true;
}

io::Task<Result<>> ping(http::Connection& reader, io::Deadline deadline) {
  io::Stream& stream = reader.stream();
  if (Result<> sent = co_await stream.write(ping_packet, deadline); !sent) co_return sent;
  while (true) {
    Packet packet;
    const PacketOutcome outcome = parse_packet(reader.held(), packet_bytes_max, packet);
    if (outcome.progress == http::Progress::Failed) {
      co_return fail(Code::Malformed, "the answer to the ping is not AJP");
    }
    if (outcome.progress == http::Progress::Complete) {
      if (packet.kind != PacketKind::Pong) co_return fail(Code::Malformed, "the ping was answered by another packet");
      reader.consume(packet.size);
      if (reader.has_held()) co_return fail(Code::Malformed, "more than the answer to the ping has come");
      co_return Result<>();
    }
    const io::Transfer got = reader.receive();
    if (got.state == io::TransferState::Done) continue;
    if (got.state == io::TransferState::End) {
      co_return fail(Code::Closed, "the connection was closed before the answer to the ping");
    }
    if (got.state == io::TransferState::Failed) co_return fail(got.code);
    reader.keep();
    if (const io::Wake wake = co_await stream.until_readable(deadline); wake != io::Wake::Event) {
      co_return fail(io::error_of(wake));
    }
  }
}

}  // namespace ballast::ajp

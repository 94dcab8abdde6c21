#include <string>

#include <fmt/format.h>

#include "io/datagrams.h"
#include "io/loop.h"
#include "traffic/control/probe_parts.h"

namespace ballast::traffic {
namespace {

using model::TargetReason;

int digit(char c) {
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

std::string bytes_of(const std::string& text, const std::string& hex) {
  if (hex.empty()) return text;
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return bytes;
}

// As much as tells the operator what came.
std::string in_hex(Bytes bytes) {
  constexpr std::size_t enough = 16;
  std::string text;
  for (const char byte : bytes.substr(0, enough)) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return bytes.size() > enough ? text + "..." : text;
}

}  // namespace

io::Task<ProbeResult> probe_udp(io::Loop& loop, const config::HealthCheck& check, const ProbeTarget& target,
                                io::Deadline deadline) {
  auto socket = io::ConnectedDatagrams::connect(target.address);
  if (!socket) co_return probe_failed(TargetReason::ConnectFailed, socket.error().text());
  const std::string question = bytes_of(check.udp.send, check.udp.send_hex);
  const std::string wanted = bytes_of(check.udp.expect, check.udp.expect_hex);
  const io::Datagram out{.bytes = question, .from = {}};
  const auto put = io::DatagramBatch::send(socket->fd(), {&out, 1});
  if (put.state != io::DatagramState::Done) {
    co_return probe_failed(TargetReason::ConnectFailed,
                           fmt::format("{}/udp: the datagram could not be sent", target.address.to_string()));
  }
  io::Descriptor descriptor(loop, socket->release());
  const auto batch = std::make_unique<io::DatagramBatch>();
  while (true) {
    const auto got = batch->receive(descriptor.fd());
    if (got.state == io::DatagramState::Refused) {
      co_return probe_failed(TargetReason::ConnectFailed,
                             fmt::format("{}/udp: nobody listens there", target.address.to_string()));
    }
    if (got.state == io::DatagramState::Done) break;
    descriptor.not_readable();
    if (co_await descriptor.readable(deadline) != io::Wake::Event) {
      co_return probe_failed(TargetReason::TimedOut, fmt::format("{}/udp gave no answer in {} ms",
                                                                 target.address.to_string(), check.timeout.count()));
    }
  }
  const Bytes answer = batch->datagrams().front().bytes;
  if (answer.starts_with(wanted)) co_return probe_passed(fmt::format("answered with {} bytes", answer.size()));
  co_return probe_failed(TargetReason::BadResponse,
                         fmt::format("the answer begins with {}, wanted {}", in_hex(answer), in_hex(wanted)));
}

}  // namespace ballast::traffic

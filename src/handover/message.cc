#include "handover/message.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace ballast::handover {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<Kind, std::string_view>, 16> kinds{{
    {Kind::Unknown, "unknown"},
    {Kind::OpenSocket, "open_socket"},
    {Kind::ReleaseSocket, "release_socket"},
    {Kind::Ready, "ready"},
    {Kind::Reloading, "reloading"},
    {Kind::Stopping, "stopping"},
    {Kind::Status, "status"},
    {Kind::State, "state"},
    {Kind::Counts, "counts"},
    {Kind::Upgrade, "upgrade"},
    {Kind::SocketIs, "socket_is"},
    {Kind::Refused, "refused"},
    {Kind::HandOver, "hand_over"},
    {Kind::GoOn, "go_on"},
    {Kind::Drain, "drain"},
    {Kind::Event, "event"},
}};

// By name: a number would be another code in another version.
constexpr std::array<Code, 15> codes{Code::Closed,   Code::Reset,       Code::Refused,   Code::Unreachable,
                                     Code::TimedOut, Code::Cancelled,   Code::Malformed, Code::TooLarge,
                                     Code::InUse,    Code::Denied,      Code::NotFound,  Code::Exhausted,
                                     Code::Invalid,  Code::Unsupported, Code::System};

}  // namespace

std::string_view to_string(Kind kind) {
  return kinds[static_cast<std::size_t>(kind)].second;
}

std::string write(const Message& message) {
  Json json = {{"kind", to_string(message.kind)}};
  const auto put = [&](const char* name, const std::string& text) {
    if (!text.empty()) json[name] = text;
  };
  if (message.number != 0) json["number"] = message.number;
  put("key", message.socket.key);
  put("address", message.socket.address);
  if (message.socket.first_speaker == io::ListenOptions::FirstSpeaker::Client) json["first_speaker"] = "client";
  if (message.socket.file_mode != 0) json["file_mode"] = message.socket.file_mode;
  if (message.socket.datagram_sockets != 0) json["datagram_sockets"] = message.socket.datagram_sockets;
  if (message.kind == Kind::Refused) json["code"] = ballast::to_string(message.code);
  put("event", message.event);
  put("subject", message.subject);
  put("text", message.text);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Message> read(Bytes text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("kind") || !json["kind"].is_string()) {
    return fail(Code::Malformed, "another process of ballast said what is no message");
  }
  Message message;
  const std::string kind = json_text(json, "kind");
  for (const auto& [each, name] : kinds) {
    if (name == kind) message.kind = each;
  }
  message.number = json_number(json, "number");
  message.socket.key = json_text(json, "key");
  message.socket.address = json_text(json, "address");
  if (json_text(json, "first_speaker") == "client") {
    message.socket.first_speaker = io::ListenOptions::FirstSpeaker::Client;
  }
  message.socket.file_mode = static_cast<std::uint32_t>(json_number(json, "file_mode") & 0777);
  constexpr std::uint64_t datagram_sockets_max = 256;  // as workers
  message.socket.datagram_sockets =
      static_cast<int>(std::min(json_number(json, "datagram_sockets"), datagram_sockets_max));
  const std::string code = json_text(json, "code");
  for (const Code each : codes) {
    if (ballast::to_string(each) == code) message.code = each;
  }
  message.event = json_text(json, "event");
  message.subject = json_text(json, "subject");
  message.text = json_text(json, "text");
  return message;
}

}  // namespace ballast::handover

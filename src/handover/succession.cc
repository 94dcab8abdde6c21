// How a keeper goes on as a newer program: what it holds is written down, the program is replaced, and the new one
// reads it (see keeper.h).
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "handover/keeper.h"
#include "io/replace.h"
#include "io/system.h"

namespace ballast::handover {
namespace {

using Json = nlohmann::json;
using Stage = Serving::Stage;

constexpr std::size_t saved_bytes_max = 16 * mib;  // a port range of 65,535 sockets is 10

std::string_view name_of(Stage stage) {
  return stage == Stage::Starting ? "starting" : stage == Stage::Serving ? "serving" : "draining";
}

Stage stage_of(const std::string& name) {
  return name == "starting" ? Stage::Starting : name == "serving" ? Stage::Serving : Stage::Draining;
}

// -1: none.
int descriptor_in(const Json& json, const char* name) {
  return json.contains(name) ? static_cast<int>(json_integer(json, name)) : -1;
}

// With the descriptors that were left open for us.
Result<decltype(SocketTable::Entry::socket)> socket_of(const io::SocketSpec& spec, const Json& saved) {
  std::vector<io::OwnedFd> fds;
  if (saved.contains("fds") && saved["fds"].is_array()) {
    for (const Json& fd : saved["fds"]) fds.emplace_back(fd.is_number_integer() ? fd.get<int>() : -1);
  }
  if (fds.empty()) return fail(Code::Malformed, "the keeper before has left no descriptor of it");
  if (spec.datagram_sockets != 0) {
    auto datagrams = io::BoundDatagrams::take_over(std::move(fds));
    if (!datagrams) return fail(std::move(datagrams.error()));
    return std::move(*datagrams);
  }
  auto socket = io::ListeningSocket::take_over(std::move(fds.front()));
  if (!socket) return fail(std::move(socket.error()));
  if (auto bound = io::SocketAddress::read(json_text(saved, "bound"))) socket->rename(*bound);
  return std::move(*socket);
}

}  // namespace

Result<io::OwnedFd> Keeper::save(std::vector<int>& kept) const {
  const auto keep = [&](int fd) {
    kept.push_back(fd);
    return fd;
  };
  Json servings = Json::array();
  for (const ServingPointer& each : servings_) {
    if (!each->channel.is_open()) continue;
    servings.push_back({{"id", each->id},
                        {"process", each->process.id()},
                        {"channel", keep(each->channel.fd())},
                        {"stage", name_of(each->stage)}});
  }
  Json sockets = Json::array();
  for (const auto& [key, entry] : sockets_.entries()) {
    Json fds = Json::array();
    for (const int fd : entry.descriptors()) fds.push_back(keep(fd));
    sockets.push_back({{"key", key},
                       {"address", entry.spec.address},
                       {"bound", entry.address().to_string()},
                       {"file_mode", entry.spec.file_mode},
                       {"datagram_sockets", entry.spec.datagram_sockets},
                       {"fds", std::move(fds)},
                       {"holders", entry.holders}});
  }
  const Json saved = {{"servings", std::move(servings)},
                      {"sockets", std::move(sockets)},
                      {"next_id", next_id_},
                      {"state", state_.is_open() ? keep(state_.get()) : -1}};
  return io::memory_file("ballast-keeper", saved.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void Keeper::replace_ourselves() {
  std::vector<int> kept;
  const Result<io::OwnedFd> saved = save(kept);
  if (!saved) {
    event("upgrade.keeper", fmt::format("{}: the keeper goes on as the old program", saved.error().text()));
    return;
  }
  kept.push_back(saved->get());
  io::Replacement next{.program = options_.program,
                       .arguments = options_.keep,
                       .environment = io::environment_without({keeper_variable, "LISTEN_FDS", "LISTEN_PID"})};
  next.environment.push_back(fmt::format("{}={}", keeper_variable, saved->get()));
  const Error error = io::replace_program(next, kept);
  event("upgrade.keeper", fmt::format("{}: the keeper goes on as the old program", error.text()));
}

Result<> Keeper::resume(int saved_fd) {
  const io::OwnedFd saved(saved_fd);
  const Result<std::string> text = io::read_all(saved.get(), saved_bytes_max);
  if (!text) return fail(std::move(text.error()));
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("servings") || !json["servings"].is_array() || !json.contains("sockets") ||
      !json["sockets"].is_array()) {
    return fail(Code::Malformed, "what the keeper before has left is not what a ballast writes");
  }
  next_id_ = std::max<std::uint64_t>(1, json_number(json, "next_id"));
  if (const int state = descriptor_in(json, "state"); state >= 0) state_ = io::OwnedFd(state);
  for (const Json& each : json["sockets"]) {
    const io::SocketSpec spec{.key = json_text(each, "key"),
                              .address = json_text(each, "address"),
                              .file_mode = static_cast<std::uint32_t>(json_number(each, "file_mode")),
                              .datagram_sockets = static_cast<int>(json_number(each, "datagram_sockets"))};
    auto socket = socket_of(spec, each);
    if (!socket) return fail(std::move(socket.error()).within(spec.key));
    SocketTable::Entry entry{.spec = spec, .socket = std::move(*socket), .holders = {}};
    if (each.contains("holders") && each["holders"].is_array()) {
      for (const Json& holder : each["holders"]) {
        if (holder.is_number_unsigned()) entry.holders.insert(holder.get<std::uint64_t>());
      }
    }
    sockets_.take_over(std::move(entry));
  }
  for (const Json& each : json["servings"]) {
    auto process =
        io::Process::take_over(loop_, static_cast<pid_t>(json_integer(each, "process")), io::ProcessGroup::Own);
    if (!process) return fail(std::move(process.error()));
    auto serving = std::make_shared<Serving>(json_number(each, "id"), std::move(*process),
                                             io::Channel(io::OwnedFd(descriptor_in(each, "channel"))));
    serving->stage = stage_of(json_text(each, "stage"));
    has_served_ = has_served_ || serving->stage == Stage::Serving;
    servings_.push_back(std::move(serving));
  }
  // When all are known: one that has ended meanwhile must not be missed by itself alone, its counts without who goes on
  // with them, and nobody seen to serve.
  const std::vector<ServingPointer> all = servings_;
  for (const ServingPointer& each : all) look_after(each);
  return {};
}

}  // namespace ballast::handover

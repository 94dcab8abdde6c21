#include "handover/socket_table.h"

#include <algorithm>

namespace ballast::handover {

std::vector<int> SocketTable::Entry::descriptors() const {
  if (const auto* listening = std::get_if<io::ListeningSocket>(&socket)) return {listening->fd()};
  const auto& datagrams = std::get<io::BoundDatagrams>(socket);
  std::vector<int> all;
  for (int i = 0; i < datagrams.count(); ++i) all.push_back(datagrams.fd(i));
  return all;
}

const io::SocketAddress& SocketTable::Entry::address() const {
  return std::visit([](const auto& each) -> const io::SocketAddress& { return each.address(); }, socket);
}

Result<const SocketTable::Entry*> SocketTable::open(const io::SocketSpec& spec, Holder holder) {
  const auto found = entries_.find(spec.key);
  if (found != entries_.end()) {
    found->second.holders.erase(next_holder);
    found->second.holders.insert(holder);
    return &found->second;
  }
  if (spec.datagram_sockets != 0) {
    auto offered = offered_datagrams_.extract(spec.address);
    auto datagrams =
        offered.empty() ? source_.open_datagrams(spec) : io::BoundDatagrams::take_over(std::move(offered.mapped()));
    if (!datagrams) return fail(std::move(datagrams.error()));
    return &entries_.emplace(spec.key, Entry{spec, std::move(*datagrams), {holder}}).first->second;
  }
  const auto same = std::find_if(offered_.begin(), offered_.end(), [&](const io::ListeningSocket& each) {
    const std::string address = each.address().to_string();
    return address == spec.address || (spec.file_mode != 0 && address == spec.address + io::OwnSockets::fresh_suffix);
  });
  Result<io::ListeningSocket> socket = fail(Code::NotFound);
  if (same != offered_.end()) {
    socket = std::move(*same);
    if (const auto named = io::SocketAddress::read(spec.address); named && named->is_unix()) socket->rename(*named);
    offered_.erase(same);
  } else {
    socket = source_.open(spec);
  }
  if (!socket) return fail(std::move(socket.error()));
  return &entries_.emplace(spec.key, Entry{spec, std::move(*socket), {holder}}).first->second;
}

bool SocketTable::release(const io::SocketSpec& spec, Holder holder) {
  const auto found = entries_.find(spec.key);
  if (found == entries_.end()) return false;
  found->second.holders.erase(holder);
  if (!found->second.holders.empty()) return false;
  source_.release(found->second.spec);
  entries_.erase(found);
  return true;
}

void SocketTable::forget(Holder holder, Heir heir) {
  for (auto& [key, entry] : entries_) {
    if (entry.holders.erase(holder) != 0 && heir == Heir::NextHolder) entry.holders.insert(next_holder);
  }
}

void SocketTable::close() {
  for (const auto& [key, entry] : entries_) source_.release(entry.spec);
  entries_.clear();
  close_offered();
}

void SocketTable::close_offered() {
  offered_.clear();
  offered_datagrams_.clear();
}

Result<> SocketTable::offer(io::OwnedFd socket) {
  if (const auto address = io::address_of_datagrams(socket.get())) {
    offered_datagrams_[address->to_string()].push_back(std::move(socket));
    return {};
  }
  auto listening = io::ListeningSocket::take_over(std::move(socket));
  if (!listening) return fail(std::move(listening.error()));
  offered_.push_back(std::move(*listening));
  return {};
}

}  // namespace ballast::handover

#include "handover/socket_table.h"

#include <algorithm>

namespace ballast::handover {

Result<const SocketTable::Entry*> SocketTable::open(const io::SocketSpec& spec, Holder holder) {
  const auto found = entries_.find(spec.key);
  if (found != entries_.end()) {
    found->second.holders.insert(holder);
    return &found->second;
  }
  const auto same = std::find_if(offered_.begin(), offered_.end(), [&](const io::ListeningSocket& each) {
    return each.address().to_string() == spec.address;
  });
  Result<io::ListeningSocket> socket = fail(Code::NotFound);
  if (same != offered_.end()) {
    socket = std::move(*same);
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

void SocketTable::forget(Holder holder) {
  for (auto& [key, entry] : entries_) entry.holders.erase(holder);
}

void SocketTable::close() {
  for (const auto& [key, entry] : entries_) source_.release(entry.spec);
  entries_.clear();
  offered_.clear();
}

}  // namespace ballast::handover

// What a GroupKeeper hands on to the next process, and takes over from the one before.
#include <algorithm>

#include "io/loop.h"
#include "traffic/control/group_entry.h"

namespace ballast::traffic {

void GroupKeeper::restore(Name& name) const {
  if (before_ == nullptr) return;
  for (const SavedName& saved : before_->names) {
    if (saved.host != name.host || saved.port != name.port) continue;
    for (const std::string& text : saved.addresses) {
      if (auto address = io::SocketAddress::read(text)) name.addresses.push_back(*address);
    }
    name.asked = !name.addresses.empty();
  }
}

void GroupKeeper::restore(Entry& entry) const {
  if (before_ == nullptr || !entry.address.has_value()) return;
  const std::string address = entry.address->to_string();
  const auto saved = std::find_if(before_->targets.begin(), before_->targets.end(), [&](const SavedTarget& each) {
    return each.configured == entry.configured && each.address == address;
  });
  if (saved == before_->targets.end()) return;
  entry.record = saved->record;
  entry.record.next_check.reset();  // at once
  const auto age = std::max(model::WallTime::duration::zero(), std::chrono::system_clock::now() - saved->since);
  entry.record.since = context_.loop.now() - age;
  entry.state_since = saved->since;
  entry.checked = saved->checked;
  entry.passed = saved->passed;
  entry.failed = saved->failed;
  restore_outlier(entry, *saved);
}

SavedGroup GroupKeeper::saved() const {
  SavedGroup group{.name = share_->name, .counts = counts_of(share_->cells)};
  for (const EntryPointer& entry : entries_) {
    SavedTarget target{.configured = entry->configured,
                       .address = entry->address.has_value() ? entry->address->to_string() : std::string(),
                       .record = entry->record,
                       .since = entry->state_since,
                       .checked = entry->checked,
                       .passed = entry->passed,
                       .failed = entry->failed};
    save_outlier(*entry, target);
    if (entry->share != nullptr) target.counts = counts_of(entry->share->cells);
    group.targets.push_back(std::move(target));
  }
  for (const auto& name : names_) {
    SavedName saved{.host = name->host, .port = name->port};
    for (const io::SocketAddress& address : name->addresses) saved.addresses.push_back(address.to_string());
    group.names.push_back(std::move(saved));
  }
  return group;
}

void GroupKeeper::add_counts(const SavedGroup& counted) const {
  add(share_->cells.front(), counted.counts);
  for (const SavedTarget& target : counted.targets) {
    for (const EntryPointer& entry : entries_) {
      if (entry->share == nullptr || entry->configured != target.configured) continue;
      if (entry->address->to_string() == target.address) add(entry->share->cells.front(), target.counts);
    }
  }
}

}  // namespace ballast::traffic

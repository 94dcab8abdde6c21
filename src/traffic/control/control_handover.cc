// How one process hands on to the next: what it knows is told, what it has under way ends, what it counted since is
// told as well; and the other side of it (decisions/0031).
#include <utility>

#include "config/recorded_files.h"
#include "traffic/control/control.h"

namespace ballast::traffic {

io::Task<std::string> Control::drain_away() {
  stopping_ = true;
  const auto listeners = open_listeners();
  for (const auto& worker : workers_) worker->leave_listeners();
  await_workers();
  listeners_.hand_over();
  co_await end_within(settings_->handover_timeout, Worker::AtRest::OneMore);
  SavedState since = counts_since(save(listeners), handed_over_);
  since.events = events_.since(handed_over_event_);
  const std::string counts = write_state(since);
  workers_.clear();
  co_return counts;
}

void Control::hurry_away() {
  for (const auto& worker : workers_) worker->hurry(settings_->shutdown_timeout);
}

std::vector<std::shared_ptr<ListenerShare>> Control::open_listeners() const {
  std::vector<std::shared_ptr<ListenerShare>> shares;
  for (const OpenListener& open : listeners_.open()) shares.push_back(open.share);
  return shares;
}

SavedState Control::save(const std::vector<std::shared_ptr<ListenerShare>>& listeners) const {
  SavedState state{.generation = generation_};
  for (const auto& [name, keeper] : groups_) state.groups.push_back(keeper->saved());
  for (const auto& share : listeners)
    state.listeners.push_back({.name = share->name, .counts = counts_of(share->cells)});
  return state;
}

std::string Control::state(SavedKeys keys) const {
  SavedState whole = save(open_listeners());
  whole.events = events_.since(0);
  whole.rates = protect_.saved(keys);
  if (settings_->recording != nullptr) whole.configuration = config::write_recording(*settings_->recording);
  return write_state(whole);
}

std::string Control::state_to_follow() {
  handing_over_ = true;
  handed_over_ = save(open_listeners());
  const std::vector<model::Event> told = events_.since(0);
  handed_over_event_ = told.empty() ? 0 : told.back().id;
  return state(SavedKeys::Told);
}

std::string Control::configuration_in(const std::string& state) {
  auto before = read_state(state);
  return before ? std::move(before->configuration) : std::string();
}

// On the thread of the worker whose cells they go into; this one waits for it.
void Control::count_on(SavedState counted) {
  if (workers_.empty()) return;
  workers_.front()->loop().post([this, counted = std::move(counted)] {
    for (const SavedGroup& group : counted.groups) {
      const auto found = groups_.find(group.name);
      if (found != groups_.end()) found->second->add_counts(group);
    }
    for (const OpenListener& open : listeners_.open()) {
      const SavedListener* listener = counted.listener(open.share->name);
      if (listener != nullptr) add(open.share->cells.front(), listener->counts);
    }
  });
  await_workers();
}

void Control::add_counts(const std::string& counts) {
  auto counted = read_state(counts);
  if (!counted || stopping_) return;
  events_.restore(std::move(counted->events));
  count_on(std::move(*counted));
}

}  // namespace ballast::traffic

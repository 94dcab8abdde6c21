// A request waits for a place at a target while each has as many requests as it may have.
#include <algorithm>

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/walk.h"
#include "traffic/queue/waiting_line.h"

namespace ballast::traffic {
namespace {

// Counts who waits, as far as there is room for him.
class QueueRoom {
 public:
  QueueRoom(GroupShare& share, std::uint32_t length) : share_(share), is_in_(share.waiting.fetch_add(1) < length) {}
  ~QueueRoom() { share_.waiting.fetch_sub(1); }
  QueueRoom(const QueueRoom&) = delete;
  bool is_in() const { return is_in_; }

 private:
  GroupShare& share_;
  const bool is_in_;
};

}  // namespace

// The newest Plan's group: targets that have come meanwhile are among it. False: it is gone.
bool Exchange::renew_group() {
  const auto& groups = worker_.plan()->groups;
  const auto found = std::ranges::find(groups, group_->share, [](const auto& each) { return each->share; });
  if (found == groups.end()) return false;
  newer_group_ = *found;
  group_ = newer_group_.get();
  return true;
}

std::optional<std::uint32_t> Exchange::slot_of(const TargetShare& target) const {
  const auto& targets = group_->targets;
  const auto found = std::ranges::find(targets, &target, [](const auto& each) { return each.get(); });
  if (found == targets.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - targets.begin());
}

io::Task<std::optional<std::uint32_t>> Exchange::wait_for_place(std::optional<Walk>& walk, Attempt& last) {
  const std::shared_ptr<GroupShare> share = group_->share;
  const QueueRoom room(*share, group_->settings->queue.length);
  if (!room.is_in()) {
    last.reason = Reason::QueueFull;
    co_return std::nullopt;
  }
  GroupCell& cell = worker_.cell_of(*share);
  cell.queued.add();
  client_.watch();  // where the kernel refuses it is seen later that the client has gone
  const io::Instant began = loop_.now();
  const std::optional<std::uint32_t> slot = co_await wait_in_line(walk, last, *share);
  const io::Duration took = loop_.now() - began;
  state_->facts.queued = took;
  cell.queue_wait_us.add(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  co_return slot;
}

io::Task<std::optional<std::uint32_t>> Exchange::wait_in_line(std::optional<Walk>& walk, Attempt& last,
                                                              GroupShare& share) {
  const auto worker = static_cast<std::size_t>(worker_.number());
  const io::Deadline deadline = loop_.after(group_->settings->queue.timeout);
  // Not by its slot, which another Plan's group gives to another target.
  const auto awaited_now = [&] {
    return walk->awaited().has_value() ? group_->targets[*walk->awaited()] : std::shared_ptr<TargetShare>();
  };
  std::shared_ptr<TargetShare> awaited = awaited_now();
  Waiter waiter(co_await io::this_strand(), route_->priority, loop_.now());
  while (true) {
    waiter.stand_in(awaited != nullptr ? awaited->lines[worker] : share.lines[worker]);
    waiter.look();
    // Looks once more now that it is seen to wait: who gave a place back before has kept it for nobody.
    walk.emplace(worker_, *group_, way(), Walk::FullOwner::Awaited);
    if (const auto slot = walk->next(Walk::Reserve::No)) co_return slot;
    if (!walk->found_full()) co_return std::nullopt;
    if (auto now = awaited_now(); now != awaited) {
      waiter.leave();  // the line may go with its target
      awaited = std::move(now);
      continue;
    }

    while (!waiter.is_called() && !deadline.passed(loop_.now()) && !client_.was_cut() && !client_.called_off()) {
      co_await io::Sleep(deadline);
    }
    if (std::shared_ptr<TargetShare> given = waiter.take(); given != nullptr) {
      // Its own from here on, whatever follows: who is called off gives it back.
      TargetPlace place = TargetPlace::of(worker_, group_->share, given);
      if (!client_.was_cut() && !client_.called_off()) {
        if (!slot_of(*given).has_value() && !renew_group()) co_return std::nullopt;
        if (const auto slot = slot_of(*given)) {
          walk.emplace(worker_, *group_, way());
          walk->begin_at(*slot, std::move(place));
          co_return slot;
        }
      }
    }
    if (client_.was_cut() || client_.called_off()) {
      last.reason = client_.was_cut() ? Reason::ClientGone : Reason::Stopped;
      co_return std::nullopt;
    }
    if (deadline.passed(loop_.now())) {
      last.reason = Reason::QueueTimeout;
      if (awaited == nullptr) co_return std::nullopt;
      // The target that it belongs to has not become free: any other is better than none.
      waiter.leave();
      walk.emplace(worker_, *group_, way());
      co_return walk->next(Walk::Reserve::No);
    }
    if (!renew_group()) co_return std::nullopt;
  }
}

}  // namespace ballast::traffic

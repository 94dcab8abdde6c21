#include "traffic/queue/waiting_line.h"

#include "base/check.h"

namespace ballast::traffic {
namespace {

std::uint64_t key_of(config::Priority priority, io::Instant since) {
  constexpr int priority_shift = 62;  // nanoseconds since the machine's start take 62 bits in 146 years
  const auto since_start = static_cast<std::uint64_t>(since.time_since_epoch().count());
  return (static_cast<std::uint64_t>(priority) << priority_shift) | since_start;
}

}  // namespace

Waiter::Waiter(io::Strand& strand, config::Priority priority, io::Instant since)
    : strand_(strand), priority_(priority), key_(key_of(priority, since)) {}

void Waiter::stand_in(WaitingLine& line) {
  if (line_ == &line) return;
  leave();
  line_ = &line;
  line.add(*this);
}

void Waiter::leave() {
  if (line_ != nullptr) line_->remove(*this);
  line_ = nullptr;
}

void Waiter::give(std::shared_ptr<TargetShare> target) {
  CHECK(given_ == nullptr);
  leave();
  given_ = std::move(target);
  strand_.interrupt();
}

void Waiter::call() {
  called_ = true;
  strand_.interrupt();
}

Waiter* WaitingLine::first() const {
  for (const Row& row : rows_) {
    if (row.first != nullptr) return row.first;
  }
  return nullptr;
}

void WaitingLine::call_all() {
  for (const Row& row : rows_) {
    for (Waiter* each = row.first; each != nullptr; each = each->next_) each->call();
  }
}

// Nearly always the last; one that comes from another line may have waited longer than some here.
void WaitingLine::add(Waiter& waiter) {
  Row& row = row_of(waiter);
  Waiter* before = row.last;
  while (before != nullptr && before->key_ > waiter.key_) before = before->previous_;
  waiter.previous_ = before;
  waiter.next_ = before != nullptr ? before->next_ : row.first;
  (before != nullptr ? before->next_ : row.first) = &waiter;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : row.last) = &waiter;
  publish();
}

void WaitingLine::remove(Waiter& waiter) {
  Row& row = row_of(waiter);
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : row.first) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : row.last) = waiter.previous_;
  waiter.previous_ = waiter.next_ = nullptr;
  publish();
}

// In one order with the count of places taken (see places.cc).
void WaitingLine::publish() {
  const Waiter* front = first();
  first_key_.store(front != nullptr ? front->key_ : nobody);
}

}  // namespace ballast::traffic

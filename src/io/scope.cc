#include "io/scope.h"

#include "io/loop.h"
#include "io/suspension.h"

namespace ballast::io {

namespace detail {

std::coroutine_handle<> Promise::settle() noexcept {
  Promise* promise = this;
  while (true) {
    promise->settled_ = true;
    if (promise->starting_) return std::noop_coroutine();  // the starter, further up the stack, looks at settled_
    Promise* parent = promise->parent_;
    if (parent == nullptr) {
      promise->strand_->finished();
      return std::noop_coroutine();
    }
    if (promise->pass_error_ == nullptr || !promise->pass_error_(*promise, *parent)) return parent->handle();
    promise = parent;  // it needed the value: it is settled with the error and not resumed
  }
}

}  // namespace detail

void Strand::begin(Task<void> task) {
  auto handle = std::exchange(task.handle_, {});
  top_ = handle;
  if (handle.promise().start(nullptr, this, nullptr)) finished();
}

void Strand::finished() {
  top_.destroy();
  scope_.remove(*this);
  delete this;
}

void Strand::interrupt() {
  if (suspension_ != nullptr) suspension_->wake_soon(Wake::Cancelled);
}

void Strand::cancel() {
  cancelled_ = true;
  interrupt();
}

Scope::~Scope() {
  CHECK(empty());
}

void Scope::add(Strand& strand) {
  strand.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &strand;
  first_ = &strand;
  ++size_;
}

void Scope::remove(Strand& strand) {
  (strand.previous_ != nullptr ? strand.previous_->next_ : first_) = strand.next_;
  if (strand.next_ != nullptr) strand.next_->previous_ = strand.previous_;
  if (--size_ == 0 && closer_ != nullptr) closer_->wake_soon(Wake::Event);
}

void Scope::spawn(Task<void> task) {
  auto* strand = new Strand(*this, loop_);
  strand->cancelled_ = cancelled_;
  add(*strand);
  strand->begin(std::move(task));
}

void Scope::cancel() {
  cancelled_ = true;
  // Waking is deferred to the loop, so nobody leaves the list while it is walked.
  for (Strand* strand = first_; strand != nullptr; strand = strand->next_) strand->cancel();
}

namespace {

class Emptied : private Suspension {
 public:
  Emptied(Suspension*& slot, Deadline deadline) : slot_(slot), deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    CHECK(slot_ == nullptr);
    if (!suspend(handle, *handle.promise().strand(), deadline_)) return false;
    slot_ = this;
    return true;
  }
  Wake await_resume() const noexcept { return why(); }

 private:
  void detach() override { slot_ = nullptr; }
  Suspension*& slot_;
  Deadline deadline_;
};

class EmptiedShielded : private Suspension {
 public:
  explicit EmptiedShielded(Suspension*& slot) : slot_(slot) {}
  bool await_ready() const noexcept { return false; }
  template <typename P>
  void await_suspend(std::coroutine_handle<P> handle) {
    CHECK(slot_ == nullptr);
    suspend_shielded(handle, *handle.promise().strand());
    slot_ = this;
  }
  void await_resume() const noexcept {}

 private:
  void detach() override { slot_ = nullptr; }
  Suspension*& slot_;
};

}  // namespace

Task<void> Scope::close() {
  cancel();
  while (!empty()) co_await EmptiedShielded(closer_);
}

Task<bool> Scope::closed(Deadline deadline) {
  while (!empty()) {
    if (co_await Emptied(closer_, deadline) != Wake::Event) co_return empty();
  }
  co_return true;
}

}  // namespace ballast::io

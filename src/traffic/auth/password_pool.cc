#include "traffic/auth/password_pool.h"

#include <utility>

#include <fmt/format.h>

#include "io/loop.h"
#include "io/scope.h"

namespace ballast::traffic::auth {
namespace {

class Answered;

// One question; held by the coroutine that waits and by the pool until it has an answer. Touched on the loop's thread
// alone.
struct Waiting {
  Answered* waiter = nullptr;
  bool is_settled = false;
  bool is_right = false;
};

class [[nodiscard]] Answered : private io::Suspension {
 public:
  Answered(Waiting& waiting, io::Deadline deadline) : waiting_(waiting), deadline_(deadline) {}
  bool await_ready() const noexcept { return waiting_.is_settled; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    if (!suspend(handle, *handle.promise().strand(), deadline_)) return false;
    waiting_.waiter = this;
    return true;
  }
  io::Wake await_resume() const noexcept { return why(); }
  void settled() { wake_soon(io::Wake::Event); }

 private:
  void detach() override { waiting_.waiter = nullptr; }
  Waiting& waiting_;
  io::Deadline deadline_;
};

Digest digest_of(const KeyedHash& keyed_hash, const PasswordDoor::Question& question) {
  std::string all = question.hash;
  all += '\0';
  all += question.credentials.user;
  all += '\0';
  all += question.credentials.password;
  const Digest digest = keyed_hash.of(all);
  wipe(all.data(), all.size());
  return digest;
}

}  // namespace

PasswordPool::PasswordPool(IsRight is_right) : is_right_(std::move(is_right)) {}

bool PasswordPool::take(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || queue_.size() >= queue_max) return false;
    queue_.push_back(std::move(job));
    while (threads_.size() < threads) {
      threads_.emplace_back(fmt::format("passwords-{}", threads_.size()), [this] { run(); });
    }
  }
  changed_.notify_one();
  return true;
}

void PasswordPool::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  threads_.clear();
}

void PasswordPool::run() {
  while (true) {
    Job job;
    bool right = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (closed_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      right = right_.knows(job.digest, io::Clock::now());
    }
    if (!right) {
      right = is_right_(job.hash, job.password) && job.is_known_user;
      if (right) {
        const std::lock_guard lock(mutex_);
        right_.add(job.digest, io::Clock::now());
      }
    }
    wipe(job.password.data(), job.password.size());
    job.done(right);
  }
}

io::Task<PasswordVerdict> PasswordDoor::ask(Question question, io::Deadline deadline) {
  const Digest digest = digest_of(pool_->keyed_hash(), question);
  if (right_.knows(digest, loop_.now())) co_return PasswordVerdict::Right;
  auto waiting = std::make_shared<Waiting>();
  PasswordPool::Job job{.hash = std::move(question.hash),
                        .password = std::move(question.credentials.password),
                        .digest = digest,
                        .is_known_user = question.is_known_user,
                        .done = {}};
  job.done = [&loop = loop_, waiting](bool right) {
    loop.post([waiting, right] {
      waiting->is_settled = true;
      waiting->is_right = right;
      if (waiting->waiter != nullptr) waiting->waiter->settled();
    });
  };
  if (!pool_->take(std::move(job))) co_return PasswordVerdict::Busy;
  const io::Wake wake = co_await Answered(*waiting, deadline);
  if (wake == io::Wake::Cancelled) co_return PasswordVerdict::Cancelled;
  if (wake == io::Wake::Deadline) co_return PasswordVerdict::Busy;
  if (!waiting->is_right) co_return PasswordVerdict::Wrong;
  right_.add(digest, loop_.now());
  co_return PasswordVerdict::Right;
}

}  // namespace ballast::traffic::auth

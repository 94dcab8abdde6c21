// PasswordPool: the threads on which passwords are tried, since a try takes as long as a hundred thousand requests
// would like to. PasswordDoor: a worker's way there, with what it has seen to be right.
//
// The pool belongs to Control and is closed before the workers go; its queue is bounded, and a full one is an answer of
// its own (503), not a wait. A door is a worker's, on that worker's thread. Passwords are wiped when they were tried.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/deadline.h"
#include "io/task.h"
#include "io/thread.h"
#include "traffic/auth/basic.h"
#include "traffic/auth/credential_cache.h"
#include "traffic/auth/crypto/keyed_hash.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic::auth {

enum class PasswordVerdict : std::uint8_t {
  Right,
  Wrong,
  Busy,       // the queue is full, or the deadline has passed
  Cancelled,  // the wait was called off
};

class PasswordPool {
 public:
  // Two: one that tries an expensive hash does not hold up all others, and as many cannot starve the workers.
  static constexpr int threads = 2;
  // At 60 ms a try (cost 10) the last of them waits two seconds; who waits longer has hung up.
  static constexpr std::size_t queue_max = 64;

  struct Job {
    std::string hash;
    std::string password;
    Digest digest;
    bool is_known_user = true;                       // false: tried for the time it takes; wrong in any case
    std::move_only_function<void(bool right)> done;  // on a thread of the pool
  };

  // `is_right` is bcrypt's, or a test's. The threads start with the first job.
  using IsRight = std::function<bool(const std::string& hash, const std::string& password)>;
  explicit PasswordPool(IsRight is_right);
  ~PasswordPool() { close(); }
  PasswordPool(const PasswordPool&) = delete;

  // Any thread. False: the queue is full, or the pool is closed.
  bool take(Job job);
  // Lets the tries under way end and forgets the others.
  void close();
  const KeyedHash& keyed_hash() const { return keyed_hash_; }

 private:
  void run();

  const IsRight is_right_;
  const KeyedHash keyed_hash_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  CredentialCache right_;  // of all workers: a browser's six connections cost one try
  bool closed_ = false;
  std::vector<io::Thread> threads_;
};

class PasswordDoor {
 public:
  PasswordDoor(io::Loop& loop, PasswordPool* pool) : loop_(loop), pool_(pool) {}

  struct Question {
    std::string hash;  // of the user, or of nobody
    Credentials credentials;
    bool is_known_user = true;
  };
  io::Task<PasswordVerdict> ask(Question question, io::Deadline deadline);

 private:
  io::Loop& loop_;
  PasswordPool* pool_;
  CredentialCache right_;
};

}  // namespace ballast::traffic::auth

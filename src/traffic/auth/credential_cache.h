// CredentialCache: which users' passwords were right a moment ago, so that bcrypt is asked once in a while and not for
// each request. It keeps keyed hashes (KeyedHash), from which nothing can be read or tried elsewhere.
//
// Only right ones are kept: whoever guesses pays for each guess. The stored hash is part of what is hashed, so a
// changed password is not found. One thread, or under its owner's lock.
#pragma once

#include <cstddef>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "io/deadline.h"
#include "traffic/auth/crypto/keyed_hash.h"

namespace ballast::traffic::auth {

class CredentialCache {
 public:
  // Users at work at once; 100 KiB a worker.
  static constexpr std::size_t kept_max = 1024;
  static constexpr io::Duration kept_for = std::chrono::minutes(5);

  bool knows(const Digest& digest, io::Instant now) const {
    const auto found = until_.find(digest);
    return found != until_.end() && now < found->second;
  }

  void add(const Digest& digest, io::Instant now) {
    if (until_.insert_or_assign(digest, now + kept_for).second) order_.push_back(digest);
    while (order_.size() > kept_max) {
      until_.erase(order_.front());
      order_.pop_front();
    }
  }

  std::size_t size() const { return until_.size(); }

 private:
  struct Front {
    std::size_t operator()(const Digest& digest) const {
      std::size_t front = 0;  // of a keyed hash: as good as random
      std::memcpy(&front, digest.data(), sizeof front);
      return front;
    }
  };
  std::unordered_map<Digest, io::Instant, Front> until_;
  std::deque<Digest> order_;  // by their first coming; what came first goes first
};

}  // namespace ballast::traffic::auth

// TicketKeys: what session tickets are sealed with. One set for all workers and listeners, kept in the state directory,
// so that a client resumes its session at any worker and after a restart.
//
// The newest key seals, all of them open. A key seals for `ticket_key_rotation` and is forgotten when the last ticket
// it sealed has expired: whoever steals the keys reads at most so much of the past of TLS 1.2 (1.3 resumes with a new
// key exchange). Values; the ring is read by workers and replaced by the control thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/tls/certificate.h"

namespace ballast::tls {

inline constexpr auto ticket_lifetime = std::chrono::hours(24);
inline constexpr auto ticket_key_rotation = std::chrono::hours(12);

struct TicketKey {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, 32> cipher{};  // AES-256-CBC
  std::array<unsigned char, 32> mac{};     // HMAC-SHA-256
  WallTime made;                           // to the second
  friend bool operator==(const TicketKey&, const TicketKey&) = default;
};

using TicketKeys = std::vector<TicketKey>;  // newest first

// What they should be at `now`: the same, or with a new one, without those whose tickets have expired. Keys from the
// future (a clock was wrong) are dropped.
TicketKeys rotated(TicketKeys keys, WallTime now);
TicketKey new_ticket_key(WallTime now);

// One line a key, as the file has them.
std::string write_ticket_keys(const TicketKeys& keys);
Result<TicketKeys> read_ticket_keys(Bytes text);

// The keys as workers see them, without a lock.
class TicketKeyRing {
 public:
  // Good for the length of a callback: until so many more sets have been made, days later.
  const TicketKeys& get() const { return *current_.load(std::memory_order_acquire); }
  void set(TicketKeys keys) {
    constexpr std::size_t sets_max = 16;
    sets_.push_back(std::make_unique<const TicketKeys>(std::move(keys)));
    current_.store(sets_.back().get(), std::memory_order_release);
    if (sets_.size() > sets_max) sets_.pop_front();
  }

 private:
  const TicketKeys none_;
  std::deque<std::unique_ptr<const TicketKeys>> sets_;  // the control thread's
  std::atomic<const TicketKeys*> current_ = &none_;
};

}  // namespace ballast::tls

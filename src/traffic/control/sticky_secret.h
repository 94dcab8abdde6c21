// StickySecret: what the tokens in sticky cookies are made with: HMAC-SHA-256 of the group's and the target's name, so
// that a cookie tells nothing of what stands behind and nobody makes one himself.
//
// Kept in the state directory, so that clients stay where they are over reload, upgrade and restart; balancers that
// share the file make the same tokens. Never rotated: what is stolen with it is the choice of a target. Control thread;
// owned by Control, outlives the GroupKeepers.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"

namespace ballast::traffic {

class EventLog;

class StickySecret {
 public:
  using Key = std::array<std::uint8_t, 32>;

  StickySecret() = default;
  explicit StickySecret(const Key& key) : key_(key), is_there_(true) {}

  // Where a group sets cookies: reads the key, or makes it where there is none; once. One that cannot be read or kept
  // is an event.
  void prepare(const config::Settings& settings, EventLog& events);

  struct Of {
    Bytes group;
    Bytes target;  // with its address
  };
  // 32 hex digits: 128 bits of the HMAC, beyond guessing.
  std::string token(const Of& of) const;

 private:
  void load(const std::string& state_directory, EventLog& events);

  Key key_{};
  bool is_there_ = false;
};

// As the file has it: a line.
std::string write_sticky_key(const StickySecret::Key& key);
Result<StickySecret::Key> read_sticky_key(Bytes text);

}  // namespace ballast::traffic

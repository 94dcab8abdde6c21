// Guard: who may send the requests of a route, compiled: what the settings say, and the users or keys as they are now.
//
// Immutable, part of the Plan; made by the control thread (control/auth_keeper.h), and made anew when a file or a set
// of keys has changed. A worker asks it in l7/authenticate.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "config/htpasswd.h"
#include "config/settings.h"
#include "traffic/auth/key_set.h"
#include "traffic/auth/token.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic::auth {

struct BasicGuard {
  std::shared_ptr<const config::Htpasswd> users;
  std::string nobody;  // the hash that an unknown user's password is tried against
  std::string realm;
  std::string header;  // empty: the target is not told
};

// How a worker says that it has seen a key which is not in the set. Any thread; the control thread forgets the source
// with nobody_listens().
class KeyWish : public std::enable_shared_from_this<KeyWish> {
 public:
  KeyWish(io::Loop& control_loop, std::function<void()> fetch_soon)
      : control_loop_(control_loop), fetch_soon_(std::move(fetch_soon)) {}
  // At most one is under way to the control thread.
  void want();
  // Control thread.
  void fulfilled() { wanted_.store(false, std::memory_order_relaxed); }
  void nobody_listens() { fetch_soon_ = nullptr; }

 private:
  io::Loop& control_loop_;
  std::function<void()> fetch_soon_;  // the control thread's
  std::atomic<bool> wanted_ = false;
};

struct JwtGuard {
  TokenPolicy policy;
  std::shared_ptr<const KeySet> keys;  // nullptr: none have come yet
  std::shared_ptr<KeyWish> wish;       // nullptr: they are a file's
  std::string cookie;                  // empty: Authorization
  std::string realm;
};

struct ForwardGuard {
  config::ForwardAuth settings;
  std::uint32_t group_index = 0;  // in the Plan
};

struct Guard {
  // What tells the target who it is: a client's own of these names are removed.
  std::vector<std::string> headers;
  std::variant<BasicGuard, JwtGuard, ForwardGuard> how;
};

// Of one listener, by Route::index; nullptr: anybody. Empty where no route has one.
using Guards = std::vector<std::shared_ptr<const Guard>>;

// Whether two header names are one to a target: without case, and with "_" as "-", since what hands headers on as
// variables (CGI, WSGI) cannot tell them apart.
bool is_same_header(Bytes left, Bytes right);

}  // namespace ballast::traffic::auth

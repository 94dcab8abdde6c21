// Parent: whom a serving process belongs to: the keeper that started it, or nobody but the service manager. Where its
// sockets come from, whom it tells that it serves, and what it is told.
//
// Owned by app/, on the control thread's Loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/notify.h"
#include "io/socket_source.h"

namespace ballast::io {
class Loop;
}

namespace ballast::handover {

// What the keeper wants of a serving process.
class Charge {
 public:
  // Its state, in a form that newer and older versions read too, for one that is to follow.
  virtual std::string state() = 0;
  // None has followed on what state() told.
  virtual void go_on() = 0;
  // Another process serves: take no new connections, and end when the present ones have.
  virtual void drain() = 0;
  struct Event {
    std::string kind;
    std::string subject;
    std::string text;
    bool was_said = false;  // on standard error
  };
  virtual void event(Event event) = 0;
  // What a process that has drained counted since it told its state.
  virtual void add_counts(const std::string& counts) = 0;

 protected:
  ~Charge() = default;
};

class Parent : public io::SocketSource {
 public:
  // Whether open() needs no privileges of this process.
  virtual bool binds_for_us() const = 0;
  // What the process before us told; empty: there was none.
  virtual const std::string& state_before() const = 0;
  virtual void ready() = 0;
  virtual void reloading() = 0;
  virtual void stopping() = 0;
  virtual void status(std::string_view text) = 0;
  // From now on; `charge` outlives this.
  virtual void serve(Charge& charge) = 0;
  virtual void tell_state(const std::string& state) = 0;
  virtual void tell_counts(const std::string& counts) = 0;
  // To be replaced by what stands in the program's file now. How that went is an event.
  virtual Result<> upgrade() = 0;
};

// The keeper behind the channel that this process was started with, or nobody.
Result<std::unique_ptr<Parent>> find_parent(io::Loop& loop);

}  // namespace ballast::handover

// KeeperLink: the keeper, as the process that it started sees it. Opening a socket asks the keeper and waits for its
// answer; what else the keeper says meanwhile is looked at afterwards.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "handover/message.h"
#include "handover/parent.h"
#include "io/channel.h"
#include "io/watcher.h"

namespace ballast::handover {

// Where the descriptors are that a serving process inherits.
inline constexpr const char* channel_variable = "BALLAST_CHANNEL";
inline constexpr const char* state_variable = "BALLAST_STATE";

class KeeperLink final : public Parent {
 public:
  KeeperLink(io::Loop& loop, io::Channel channel, std::string state_before);

  Result<io::ListeningSocket> open(const io::SocketSpec& spec) override;
  Result<io::BoundDatagrams> open_datagrams(const io::SocketSpec& spec) override;
  void release(const io::SocketSpec& spec) override;
  bool binds_for_us() const override { return true; }
  const std::string& state_before() const override { return state_before_; }
  void ready() override { tell({.kind = Kind::Ready}); }
  void reloading() override { tell({.kind = Kind::Reloading}); }
  void stopping() override { tell({.kind = Kind::Stopping}); }
  void status(std::string_view text) override { tell({.kind = Kind::Status, .text = std::string(text)}); }
  void serve(Charge& charge) override;
  void tell_state(const std::string& state) override { tell_file({.kind = Kind::State}, state); }
  void tell_counts(const std::string& counts) override { tell_file({.kind = Kind::Counts}, counts); }
  Result<> upgrade() override;

 private:
  struct Opened {
    std::vector<io::OwnedFd> descriptors;  // never none
    std::string address;
  };
  Result<Opened> ask_for(const io::SocketSpec& spec);
  void hear();
  void take(io::Channel::Message heard);
  // Where the keeper has gone this process is killed with it; there is nobody to tell an error to.
  void tell(const Message& message) { (void)channel_.send(write(message)); }
  void tell_file(const Message& message, const std::string& text);

  io::Loop& loop_;
  io::Channel channel_;
  const std::string state_before_;
  std::unique_ptr<io::Watcher> watcher_;
  Charge* charge_ = nullptr;
  std::uint64_t questions_ = 0;
  std::deque<io::Channel::Message> put_off_;  // heard while waiting for an answer; a keeper says little
};

}  // namespace ballast::handover

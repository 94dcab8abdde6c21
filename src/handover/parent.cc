#include "handover/parent.h"

#include <charconv>

#include "handover/keeper_link.h"
#include "io/system.h"

namespace ballast::handover {
namespace {

// Started by hand or by a service manager.
class Nobody final : public Parent {
 public:
  Result<io::ListeningSocket> open(const io::SocketSpec& spec) override { return sockets_.open(spec); }
  Result<io::BoundDatagrams> open_datagrams(const io::SocketSpec& spec) override {
    return sockets_.open_datagrams(spec);
  }
  void release(const io::SocketSpec& spec) override { sockets_.release(spec); }
  bool binds_for_us() const override { return false; }
  const std::string& state_before() const override { return nothing_; }
  void ready() override { (void)notifier_.ready(); }
  void reloading() override { (void)notifier_.reloading(); }
  void stopping() override { (void)notifier_.stopping(); }
  void status(std::string_view text) override { (void)notifier_.status(text); }
  void serve(Charge&) override {}
  void tell_state(const std::string&) override {}
  void tell_counts(const std::string&) override {}
  Result<> upgrade() override {
    return fail(Code::Unsupported,
                "this process was started by `ballast serve`, without a keeper that could replace it; start it by "
                "`ballast up`");
  }

 private:
  io::OwnSockets sockets_;
  io::Notifier notifier_ = io::Notifier::from_environment();
  const std::string nothing_;
};

// -1: not set, or no number.
int descriptor_in(const char* variable) {
  const std::string text = io::environment(variable).value_or("");
  int fd = -1;
  std::from_chars(text.data(), text.data() + text.size(), fd);
  return fd;
}

}  // namespace

Result<std::unique_ptr<Parent>> find_parent(io::Loop& loop) {
  const int channel = descriptor_in(channel_variable);
  if (channel < 0) return std::make_unique<Nobody>();
  constexpr std::size_t state_bytes_max = 256 * mib;  // of ten thousand groups with a hundred targets each
  std::string state;
  if (const int fd = descriptor_in(state_variable); fd >= 0) {
    const io::OwnedFd file(fd);
    Result<std::string> text = io::read_all(file.get(), state_bytes_max);
    if (!text) return fail(std::move(text.error()));
    state = std::move(*text);
  }
  return std::make_unique<KeeperLink>(loop, io::Channel(io::OwnedFd(channel)), std::move(state));
}

}  // namespace ballast::handover

// Keeper: the parent of the process that serves. It owns the listening sockets, starts the serving process, starts it
// again when it dies, and replaces it by a newer program without a connection noticing. It does nothing else, so that
// it has no reason to die.
//
//   a serving process dies      another one is started at once (restarts.h) with the state it last told; connections
//                               that come meanwhile wait in the sockets' queues
//   upgrade (SIGUSR2, or asked) the state is asked for, the program's file is started; when that serves, the old one
//                               drains, and the keeper itself goes on as the new program (save, exec, resume)
//   the new one does not serve  it is ended, an event says why, and the old one goes on
//   SIGTERM, SIGINT             passed on; ends when the last serving process has
//   SIGHUP                      passed on to the one that serves, when an upgrade that is under way has ended
//   SIGUSR1                     passed on
//
// One thread: the Loop's. An Error of the first start ends it, as it would have without a keeper.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handover/message.h"
#include "handover/restarts.h"
#include "handover/serving.h"
#include "handover/socket_table.h"
#include "io/loop.h"
#include "io/notify.h"
#include "io/scope.h"

namespace ballast::handover {

// Where a keeper's successor finds what it left.
inline constexpr const char* keeper_variable = "BALLAST_KEEPER";

class Keeper final : private io::Timer {
 public:
  struct Options {
    std::string program;                   // its file: what is started, and at an upgrade found there anew
    std::vector<std::string> serve;        // arguments of a serving process
    std::vector<std::string> keep;         // our own
    std::optional<io::Identity> identity;  // of a serving process; none: ours
    io::Notifier notifier;
    std::function<void(const std::string&)> say;  // a line for the log
  };

  // How long the present process may take to tell its state, and a new one to serve.
  static constexpr auto state_patience = std::chrono::seconds(5);
  static constexpr auto start_patience = std::chrono::seconds(60);

  Keeper(io::Loop& loop, Options options);
  ~Keeper() override;

  // Before run(): a socket that a service manager has opened, or has held since a keeper died.
  Result<> offer(io::OwnedFd socket) { return sockets_.offer(std::move(socket)); }
  // Before run(): goes on where another keeper was, in this same process. An Error: what it left cannot be read.
  Result<> resume(int saved_fd);
  // Until the last serving process has ended; its exit code, or 1 where it was killed.
  io::Task<int> run();
  void signalled(int number);

 private:
  struct Upgrade {
    enum class Step : std::uint8_t { AskedForState, Started };
    Step step = Step::AskedForState;
    std::string why_not;  // once it has failed
  };
  using ServingPointer = std::shared_ptr<Serving>;

  Result<ServingPointer> start();
  void look_after(const ServingPointer& serving);
  io::Task<void> watch(ServingPointer serving);
  void ended(Serving& serving, const io::Exit& exit);
  // Starts one where none serves or will soon, again and again: there is nothing better to do for the clients.
  void see_that_one_serves(Restarts::Ended last);
  io::Task<void> start_again(Restarts::Ended last);
  void hear(Serving& serving);
  void take(Serving& serving, Message message, std::vector<io::OwnedFd> descriptors);
  void answer(Serving& serving, const Message& question);
  // With the service manager, so that they outlive us.
  void store(const SocketTable::Entry& entry) const;
  void now_serves(Serving& serving);
  // A reload that was asked for while another process was to follow, or none served.
  void close_sockets();
  void reload_put_off();
  void begin_upgrade();
  void start_next();
  void give_up_upgrade(const std::string& why);
  // Goes on as the program's file, where that can be done.
  void replace_ourselves();
  Result<io::OwnedFd> save(std::vector<int>& kept) const;
  void event(const std::string& kind, const std::string& text);
  void tell(Serving& serving, const Message& message, std::span<const int> descriptors = {});
  void expired() override;
  Serving* find(Serving::Stage stage) const;

  io::Loop& loop_;
  Options options_;
  SocketTable sockets_;
  Restarts restarts_;
  std::vector<ServingPointer> servings_;  // a few: one that serves, one that starts, those that drain
  std::uint64_t next_id_ = 1;
  io::OwnedFd state_;  // as the one that serves last told it
  std::optional<Upgrade> upgrade_;
  std::deque<Message> events_;  // for the next process that serves
  bool has_served_ = false;
  bool reload_wanted_ = false;
  bool starting_again_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;
  io::Scope scope_;
};

}  // namespace ballast::handover

// `ballast up FILE`: the keeper (handover/keeper.h) around `ballast serve FILE`.
#include "app/up.h"

#include <charconv>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/serve.h"
#include "handover/keeper.h"
#include "io/identity.h"
#include "io/replace.h"
#include "io/signals.h"
#include "io/system.h"

namespace ballast::app {
namespace {

using admin::Exit;

class KeeperProgram {
 public:
  struct Wishes {
    std::string file;
    std::string user;  // of the serving process; empty: ours
    bool sandbox = true;
  };

  KeeperProgram(Wishes wishes, const admin::Terminal& terminal) : wishes_(std::move(wishes)), terminal_(terminal) {}

  Exit run() {
    if (const Result<> ready = build(); !ready) {
      terminal_.error(fmt::format("ballast: {}\n", ready.error().text()));
      return Exit::Refused;
    }
    io::Scope scope(*loop_);
    scope.spawn(keep());
    loop_->run();
    return exit_;
  }

 private:
  Result<> build() {
    io::ignore_broken_pipes();
    // Serving processes inherit it.
    (void)io::raise_descriptor_limit();
    auto loop = io::Loop::make();
    if (!loop) return fail(std::move(loop.error()));
    loop_ = std::move(*loop);
    auto signals = io::Signals::make(*loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2},
                                     [this](int number) { keeper_->signalled(number); });
    if (!signals) return fail(std::move(signals.error()));
    signals_ = std::move(*signals);
    handover::Keeper::Options options{
        .program = io::program_path(),
        .serve = {"serve"},
        .keep = {"up"},
        .notifier = io::Notifier::from_environment(),
        .say = [this](const std::string& line) { terminal_.error(fmt::format("ballast: {}\n", line)); }};
    if (!wishes_.user.empty()) {
      if (!io::may_change_identity()) {
        return fail(Code::Denied, "--user needs a start by root: a process cannot become another user otherwise");
      }
      auto identity = io::identity_of(wishes_.user);
      if (!identity) return fail(std::move(identity.error()));
      options.identity = std::move(*identity);
      options.keep.insert(options.keep.end(), {"--user", wishes_.user});
    }
    if (!wishes_.sandbox) {
      options.serve.emplace_back("--no-sandbox");
      options.keep.emplace_back("--no-sandbox");
    }
    options.serve.push_back(wishes_.file);
    options.keep.push_back(wishes_.file);
    keeper_ = std::make_unique<handover::Keeper>(*loop_, std::move(options));
    const std::string left = io::environment(handover::keeper_variable).value_or("");
    if (!left.empty()) {
      int fd = -1;
      std::from_chars(left.data(), left.data() + left.size(), fd);
      return keeper_->resume(fd);
    }
    for (io::OwnedFd& given : io::inherited_sockets()) {
      if (const Result<> taken = keeper_->offer(std::move(given)); !taken) {
        terminal_.error(
            fmt::format("ballast: a descriptor of the service manager is passed over: {}\n", taken.error().text()));
      }
    }
    return {};
  }

  io::Task<void> keep() {
    exit_ = static_cast<Exit>(co_await keeper_->run());
    loop_->stop();
  }

  const Wishes wishes_;
  const admin::Terminal& terminal_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<handover::Keeper> keeper_;
  std::unique_ptr<io::Signals> signals_;
  Exit exit_ = Exit::Done;
};

}  // namespace

admin::Command up_command() {
  return {.name = "up",
          .summary = "run everything in a configuration file, in the foreground",
          .usage = "FILE",
          .details =
              "SIGHUP reads the file again and applies it; SIGTERM and SIGINT let requests under way end, then stop;\n"
              "SIGUSR1 opens the access log anew; SIGUSR2 replaces the program by what its file holds now, as\n"
              "`ballast upgrade` does.\n",
          .example = "ballast up /etc/ballast/ballast.yaml",
          .options = {{.name = "--user",
                       .value = "NAME",
                       .help = "the user that the serving process runs as; the sockets are bound before"},
                      no_sandbox_option()},
          .words_min = 1,
          .words_max = 1,
          .run = [](const admin::Invocation& invocation) {
            return KeeperProgram({.file = invocation.words().front(),
                                  .user = invocation.arguments.value("--user").value_or(""),
                                  .sandbox = !invocation.arguments.has("--no-sandbox")},
                                 invocation.terminal)
                .run();
          }};
}

}  // namespace ballast::app

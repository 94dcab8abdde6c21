// `ballast up FILE`: the keeper (handover/keeper.h) around `ballast serve FILE`.
#include "app/up.h"

#include <charconv>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "handover/keeper.h"
#include "io/replace.h"
#include "io/signals.h"
#include "io/system.h"

namespace ballast::app {
namespace {

using admin::Exit;

class KeeperProgram {
 public:
  KeeperProgram(const std::string& file, const admin::Terminal& terminal) : file_(file), terminal_(terminal) {}

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
    handover::Keeper::Options options{.program = io::program_path(),
                                      .serve = {"serve", file_},
                                      .keep = {"up", file_},
                                      .notifier = io::Notifier::from_environment(),
                                      .say = [this](const std::string& line) {
                                        terminal_.error(fmt::format("ballast: {}\n", line));
                                      }};
    keeper_ = std::make_unique<handover::Keeper>(*loop_, std::move(options));
    const std::string left = io::environment(handover::keeper_variable).value_or("");
    if (!left.empty()) {
      int fd = -1;
      std::from_chars(left.data(), left.data() + left.size(), fd);
      return keeper_->resume(fd);
    }
    for (io::OwnedFd& given : io::sockets_of_service_manager()) {
      auto socket = io::ListeningSocket::take_over(std::move(given));
      if (socket) keeper_->offer(std::move(*socket));
    }
    return {};
  }

  io::Task<void> keep() {
    exit_ = static_cast<Exit>(co_await keeper_->run());
    loop_->stop();
  }

  const std::string file_;
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
          .options = {},
          .words_min = 1,
          .words_max = 1,
          .run = [](const admin::Invocation& invocation) {
            return KeeperProgram(invocation.words().front(), invocation.terminal).run();
          }};
}

}  // namespace ballast::app

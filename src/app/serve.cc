// `ballast serve FILE`: the program itself, from reading its file to its last request. Mostly started by `ballast up`.
#include "app/serve.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "admin/api/admin_server.h"
#include "admin/api/file_config_source.h"
#include "app/version.h"
#include "cluster/changes.h"
#include "config/recorded_files.h"
#include "handover/parent.h"
#include "io/dns.h"
#include "io/kernel_tls.h"
#include "io/loop.h"
#include "io/sandbox.h"
#include "io/scope.h"
#include "io/signals.h"
#include "io/system.h"
#include "traffic/auth/key_set.h"
#include "traffic/control/control.h"
#include "traffic/route/pattern.h"

namespace ballast::app {
namespace {

using admin::Exit;

// Where name servers other than the machine's are to be asked: for tests, and for machines with a resolver of their
// own.
constexpr const char* servers_variable = "BALLAST_DNS_SERVERS";

enum class Confined : std::uint8_t { No, Yes };

// Everything that runs, in the order in which it is built; destroyed in the opposite one.
class Program final : private handover::Charge, private io::Timer {
 public:
  Program(std::string file, Confined confined, const admin::Terminal& terminal)
      : file_(std::move(file)),
        confined_(confined),
        terminal_(terminal),
        configurations_(traffic::check_regex, traffic::auth::check_key_set) {}

  Exit run() {
    // A peer that has gone is an error of that write, not the end of the program.
    io::ignore_broken_pipes();
    auto loop = io::Loop::make();
    if (!loop) return refuse(loop.error());
    loop_ = std::move(*loop);
    auto parent = handover::find_parent(*loop_);
    if (!parent) return refuse(parent.error());
    parent_ = std::move(*parent);
    admin::Reading reading = read_settings();
    if (!reading.text.empty()) terminal_.error(reading.text);
    if (!reading.settings.has_value()) return Exit::BadInput;
    // Before privileges are given up: the kernel loads its module only for who has them.
    find_kernel_tls(*reading.settings);
    confine(*reading.settings);
    if (const Result<> built = build(std::move(*reading.settings)); !built) return refuse(built.error());
    scope_ = std::make_unique<io::Scope>(*loop_);
    scope_->spawn(serve());
    loop_->run();
    return exit_;
  }

 private:
  Exit refuse(const Error& error) {
    terminal_.error(fmt::format("ballast: {}\n", error.text()));
    return Exit::Refused;
  }

  // Behind a keeper, which binds; a process that has none must keep what binding needs.
  void confine(const config::Settings& settings) {
    if (confined_ == Confined::No || !parent_->binds_for_us()) return;
    const bool transparent = std::any_of(
        settings.target_groups.begin(), settings.target_groups.end(),
        [](const config::TargetGroup& each) { return each.source_address == config::SourceAddress::Client; });
    using Transparent = io::Sandbox::Transparent;
    for (const std::string& trouble : io::enter({.transparent = transparent ? Transparent::Yes : Transparent::No})) {
      terminal_.error(fmt::format("ballast: warning: the sandbox is not whole: {}\n", trouble));
    }
  }

  void find_kernel_tls(const config::Settings& settings) {
    const bool is_wanted = settings.kernel_tls == config::KernelTls::Auto;
    kernel_tls_ = is_wanted ? io::KernelTls::find() : io::KernelTls::off();
  }

  Result<config::Settings> read_recorded(const std::string& text) const {
    const auto recording = config::read_recording(text);
    if (!recording) return fail(recording.error());
    admin::Reading reading = configurations_.read_recorded(*recording);
    if (!reading.settings.has_value()) return fail(Code::Invalid, std::move(reading.text));
    return std::move(*reading.settings);
  }

  // What the process before us served by, whatever has become of its files since; the first time, the file.
  admin::Reading read_settings() {
    if (const std::string recorded = traffic::Control::configuration_in(parent_->state_before()); !recorded.empty()) {
      if (auto settings = read_recorded(recorded)) return {.settings = std::move(*settings)};
    }
    return configurations_.read_file(file_);
  }

  Result<> build(config::Settings settings) {
    if (Result<> checked = check_descriptors(settings); !checked) return checked;
    // Before the workers' threads start, which must not take the signals.
    auto signals =
        io::Signals::make(*loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}, [this](int number) { signalled(number); });
    if (!signals) return fail(std::move(signals.error()));
    signals_ = std::move(*signals);
    auto resolver = io::Resolver::make(*loop_, {.servers = io::environment(servers_variable).value_or("")});
    if (!resolver) return fail(std::move(resolver.error()));
    resolver_ = std::move(*resolver);
    auto control = traffic::Control::make(*loop_, std::move(settings),
                                          {.version = std::string(version),
                                           .config_file = file_,
                                           .resolver = resolver_.get(),
                                           .sockets = parent_.get(),
                                           .kernel_tls = kernel_tls_,
                                           .state_before = parent_->state_before(),
                                           .read_config = [this] { return read_config(); },
                                           .changed = [this] { parent_->tell_state(control_->state()); },
                                           .upgrade = [this] { return parent_->upgrade(); }});
    if (!control) return fail(std::move(control.error()));
    control_ = std::move(*control);
    changes_ = std::make_unique<cluster::Changes>(
        *loop_, *control_,
        cluster::Changes::Options{.file = control_->settings().state_directory + "/history.db",
                                  .subject = file_,
                                  .read = [this](const std::string& recorded) { return read_recorded(recorded); },
                                  .event =
                                      [this](const cluster::Changes::Options::Event& event) {
                                        control_->event_log().add(event.kind, event.subject, event.text);
                                      }});
    return {};
  }

  // A connection through the balancer takes two descriptors; the rest of the program takes some tens.
  Result<> check_descriptors(const config::Settings& settings) {
    constexpr std::uint64_t enough_to_start = 64;
    constexpr std::uint64_t enough_to_serve = 4096;
    const Result<std::uint64_t> raised = io::raise_descriptor_limit();
    const std::uint64_t limit = raised ? *raised : io::descriptor_limit();
    std::uint64_t needed = enough_to_start;
    for (const config::Listener& listener : settings.listeners) {
      needed += static_cast<std::uint64_t>(listener.address.port_count());
    }
    if (limit < needed) {
      return fail(
          Code::Exhausted,
          fmt::format("too few descriptors: the limit is {}, at least {} are needed and {} are sensible; raise it with "
                      "ulimit -n, or LimitNOFILE= in the systemd unit",
                      limit, needed, enough_to_serve));
    }
    if (limit < enough_to_serve) {
      terminal_.error(
          fmt::format("ballast: warning: the limit of {} descriptors is enough for about {} connections at once; "
                      "raise it with ulimit -n, or LimitNOFILE= in the systemd unit\n",
                      limit, (limit - needed) / 2));
    }
    return {};
  }

  Result<config::Settings> read_config() {
    admin::Reading reading = configurations_.read_file(file_);
    if (!reading.settings.has_value()) return fail(Code::Invalid, std::move(reading.text));
    return std::move(*reading.settings);
  }

  void signalled(int number) {
    switch (number) {
      case SIGHUP: {
        parent_->reloading();
        if (control_is_up_) [[maybe_unused]]
          const auto report =
              changes_->reload({.actor = {.user = "unknown", .way = "signal"}});  // its outcome is an event
        parent_->ready();
        break;
      }
      case SIGUSR1:
        control_->reopen_logs();
        break;
      default:
        if (stopping_) {
          // Asked twice: the person does not want to wait for the drain.
          terminal_.error("ballast: stopping at once\n");
          std::_Exit(static_cast<int>(Exit::Refused));
        }
        stopping_ = true;
        if (replaced_) control_->hurry_away();
        if (waiting_ != nullptr) waiting_->interrupt();
    }
  }

  io::Task<void> serve() {
    if (const Result<> served = co_await serve_until_stopped(); !served) exit_ = refuse(served.error());
    loop_->stop();
  }

  io::Task<Result<>> serve_until_stopped() {
    auto server =
        admin::AdminServer::open(*loop_, *control_, *changes_, configurations_, control_->settings().admin, *parent_);
    if (!server) co_return fail(std::move(server.error()));
    const Result<> started = co_await control_->start();
    if (started) {
      control_is_up_ = true;
      using Start = cluster::Changes::Start;
      changes_->begin(parent_->state_before().empty() ? Start::Anew : Start::Continued);
      parent_->serve(*this);
      say_ready(**server);
      expired();
      io::Strand& strand = co_await io::this_strand();
      waiting_ = &strand;
      while (!stopping_ && !replaced_) co_await io::Sleep(io::Deadline::never());  // a signal interrupts it
      waiting_ = nullptr;
      disarm();
      changes_->end();
    }
    constexpr auto api_time_max = std::chrono::seconds(1);
    if (started && replaced_) {
      co_await (*server)->close(loop_->after(api_time_max), admin::AdminServer::Sockets::HandOver);
      parent_->tell_counts(co_await control_->drain_away());
      co_return started;
    }
    if (started) parent_->stopping();
    // The API answers while the drain goes on: `ballast status` shows what is still under way.
    co_await control_->stop();
    co_await (*server)->close(loop_->after(api_time_max));
    co_return started;
  }

  // The keeper has the state of a moment ago when this process dies, and no older configuration than the one in force.
  void expired() override {
    // Of ten thousand targets it takes a while: never more than a fiftieth of this thread's time.
    constexpr io::Duration again = std::chrono::seconds(2);
    constexpr int share = 50;
    const io::Instant began = io::Clock::now();
    parent_->tell_state(control_->state());
    loop_->timers().arm(*this, loop_->fresh_now() + std::max(again, share * (io::Clock::now() - began)));
  }

  std::string state() override { return control_->state_to_follow(); }
  void go_on() override { control_->go_on(); }
  void drain() override {
    replaced_ = true;
    if (waiting_ != nullptr) waiting_->interrupt();
  }
  void event(Event event) override {
    traffic::EventLog& log = control_->event_log();
    if (event.was_said) {
      log.keep(std::move(event.kind), std::move(event.subject), std::move(event.text));
    } else {
      log.add(std::move(event.kind), std::move(event.subject), std::move(event.text));
    }
  }
  void add_counts(const std::string& counts) override { control_->add_counts(counts); }

  void say_ready(const admin::AdminServer& server) {
    for (const model::ListenerStatus& listener : control_->status().listeners) {
      terminal_.error(
          fmt::format("ballast: listener {} ({}) on {}\n", listener.name, listener.protocol, listener.address));
    }
    if (!server.http_address().empty()) {
      terminal_.error(fmt::format("ballast: metrics on http://{}/metrics\n", server.http_address()));
    }
    parent_->status(fmt::format("serving {}", file_));
    parent_->ready();
  }

  std::string file_;
  const Confined confined_;
  const admin::Terminal& terminal_;
  admin::FileConfigSource configurations_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<handover::Parent> parent_;
  std::shared_ptr<io::KernelTls> kernel_tls_;
  std::unique_ptr<io::Signals> signals_;
  std::unique_ptr<io::Resolver> resolver_;
  std::unique_ptr<traffic::Control> control_;
  std::unique_ptr<cluster::Changes> changes_;
  std::unique_ptr<io::Scope> scope_;
  io::Strand* waiting_ = nullptr;
  bool control_is_up_ = false;
  bool stopping_ = false;
  bool replaced_ = false;  // another process serves
  Exit exit_ = Exit::Done;
};

}  // namespace

admin::Option no_sandbox_option() {
  return {.name = "--no-sandbox",
          .help = "let the serving process keep its capabilities and every system call, for checks that need them"};
}

admin::Command serve_command() {
  return {.name = "serve",
          .summary = "as up, in one process that nobody replaces or starts again",
          .usage = "FILE",
          .details = "What `ballast up` starts and watches over. By itself it is for containers and for debugging.\n",
          .example = "ballast serve ballast.yaml",
          .options = {no_sandbox_option()},
          .words_min = 1,
          .words_max = 1,
          .run = [](const admin::Invocation& invocation) {
            const Confined confined = invocation.arguments.has("--no-sandbox") ? Confined::No : Confined::Yes;
            return Program(invocation.words().front(), confined, invocation.terminal).run();
          }};
}

}  // namespace ballast::app

#include "handover/keeper.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "handover/keeper_link.h"
#include "io/system.h"

namespace ballast::handover {
namespace {

using Stage = Serving::Stage;

constexpr std::size_t events_max = 100;  // of a program that dies at once, again and again
constexpr int passed_channel = 3;        // io::Command::passed: the first is 3
constexpr int passed_state = 4;

// A name is of few characters (sd_notify(3): no colon, no control characters) and at most 255 bytes.
std::string stored_name(const std::string& key) {
  constexpr std::size_t bytes_max = 255;
  std::string name;
  for (const char byte : key.substr(0, bytes_max)) name += byte > ' ' && byte < 0x7f && byte != ':' ? byte : '_';
  return name;
}

}  // namespace

Keeper::Keeper(io::Loop& loop, Options options) : loop_(loop), options_(std::move(options)), scope_(loop) {
  if (options_.identity.has_value()) sockets_.give_files_to(*options_.identity);
}

Keeper::~Keeper() = default;

Serving* Keeper::find(Stage stage) const {
  for (const ServingPointer& each : servings_) {
    if (each->stage == stage) return each.get();
  }
  return nullptr;
}

io::Task<int> Keeper::run() {
  if (servings_.empty()) {
    if (Result<ServingPointer> first = start(); !first) {
      options_.say(first.error().text());
      co_return 1;
    }
  }
  co_await scope_.closed(io::Deadline::never());  // one task a serving process, and one that starts the next
  sockets_.close();
  co_return exit_code_;
}

Result<Keeper::ServingPointer> Keeper::start() {
  auto pair = io::Channel::make_pair();
  if (!pair) return fail(std::move(pair.error()));
  io::Command command;
  command.program = options_.program;
  command.arguments = options_.serve;
  command.standard_output = 1;
  command.standard_error = 2;
  command.passed = {pair->theirs.get()};
  // A terminal's Ctrl-C comes to us alone, and is passed on once.
  command.group = io::ProcessGroup::Own;
  command.dies_with_us = true;
  command.identity = options_.identity;
  command.environment = io::environment_without({channel_variable, state_variable, keeper_variable, "NOTIFY_SOCKET",
                                                 "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"});
  command.environment->push_back(fmt::format("{}={}", channel_variable, passed_channel));
  if (state_.is_open()) {
    command.passed.push_back(state_.get());
    command.environment->push_back(fmt::format("{}={}", state_variable, passed_state));
  }
  auto process = io::Process::spawn(loop_, command);
  if (!process) return fail(std::move(process.error()));
  auto serving = std::make_shared<Serving>(next_id_++, std::move(*process), std::move(pair->ours));
  servings_.push_back(serving);
  look_after(serving);
  return serving;
}

void Keeper::look_after(const ServingPointer& serving) {
  serving->watcher = std::make_unique<io::Watcher>(loop_, serving->channel.fd(), io::Interest{.read = true},
                                                   [this, heard = serving.get()] { hear(*heard); });
  scope_.spawn(watch(serving));
}

io::Task<void> Keeper::watch(ServingPointer serving) {
  const Result<io::Exit> exit = co_await serving->process.wait(io::Deadline::never());
  if (!exit) co_return;  // called off
  hear(*serving);        // its last words
  serving->watcher.reset();
  std::erase(servings_, serving);
  using Heir = SocketTable::Heir;
  sockets_.forget(serving->id, serving->stage == Stage::Serving ? Heir::NextHolder : Heir::None);
  ended(*serving, *exit);
  see_that_one_serves({.lived = io::Clock::now() - serving->started, .served = serving->stage != Stage::Starting});
}

void Keeper::ended(Serving& serving, const io::Exit& exit) {
  if (stopping_) {
    if (serving.stage == Stage::Serving && !exit.is_success()) exit_code_ = exit.signal != 0 ? 1 : exit.code;
    return;
  }
  const auto process = serving.process.id();
  if (serving.stage == Stage::Draining) {
    if (!exit.is_success()) {
      event("server.drain_failed", fmt::format("process {}, which drained, ended with {}", process, exit.to_string()));
    }
  } else if (serving.stage == Stage::Serving) {
    event("server.died", fmt::format("process {}: {}; its requests under way are lost, new connections wait", process,
                                     exit.to_string()));
    if (upgrade_ && upgrade_->step == Upgrade::Step::AskedForState) give_up_upgrade("the serving process died");
  } else if (upgrade_) {
    give_up_upgrade(upgrade_->why_not.empty()
                        ? fmt::format("the new process did not come to serve: {}", exit.to_string())
                        : upgrade_->why_not);
  } else if (has_served_) {
    event("server.not_started", fmt::format("process {} did not come to serve: {}", process, exit.to_string()));
  } else {
    // The first one; it has said itself why.
    stopping_ = true;
    exit_code_ = exit.signal != 0 ? 1 : exit.code;
    if (exit.signal != 0) options_.say(fmt::format("the serving process was {}", exit.to_string()));
  }
}

void Keeper::see_that_one_serves(Restarts::Ended last) {
  if (stopping_ || starting_again_ || find(Stage::Serving) != nullptr || find(Stage::Starting) != nullptr) return;
  starting_again_ = true;
  scope_.spawn(start_again(last));
}

io::Task<void> Keeper::start_again(Restarts::Ended last) {
  while (!stopping_) {
    const io::Duration delay = restarts_.after(last);
    if (delay.count() > 0) co_await io::Sleep(loop_.after(delay));
    if (stopping_) break;
    const Result<ServingPointer> next = start();
    if (next) {
      event("server.started", fmt::format("process {} is started in its place", (*next)->process.id()));
      break;
    }
    event("server.not_started", next.error().text());
    last = {};
  }
  starting_again_ = false;
}

void Keeper::hear(Serving& serving) {
  while (true) {
    auto heard = serving.channel.receive();
    if (!heard) {
      // That it has gone is told by its process; until then there is nothing more to hear.
      serving.watcher.reset();
      return;
    }
    if (!heard->has_value()) return;
    auto message = read((*heard)->text);
    if (message) take(serving, std::move(*message), std::move((*heard)->descriptors));
  }
}

void Keeper::take(Serving& serving, Message message, std::vector<io::OwnedFd> descriptors) {
  switch (message.kind) {
    case Kind::OpenSocket:
      answer(serving, message);
      break;
    case Kind::ReleaseSocket:
      if (sockets_.release(message.socket, serving.id)) {
        (void)options_.notifier.keep_no_longer(stored_name(message.socket.key));
      }
      break;
    case Kind::Ready:
      now_serves(serving);
      break;
    case Kind::Reloading:
      if (serving.stage == Stage::Serving) (void)options_.notifier.reloading();
      break;
    case Kind::Stopping:
      if (serving.stage == Stage::Serving) (void)options_.notifier.stopping();
      break;
    case Kind::Status:
      (void)options_.notifier.status(message.text);
      break;
    case Kind::State:
      if (descriptors.empty() || serving.stage != Stage::Serving) break;
      state_ = std::move(descriptors.front());
      if (upgrade_ && upgrade_->step == Upgrade::Step::AskedForState && message.number != 0) start_next();
      break;
    case Kind::Counts:
      if (Serving* now = find(Stage::Serving); now != nullptr && now != &serving && !descriptors.empty()) {
        const std::array<int, 1> passed{descriptors.front().get()};
        tell(*now, {.kind = Kind::Counts}, passed);
      }
      break;
    case Kind::Upgrade:
      begin_upgrade();
      break;
    default:
      break;
  }
}

void Keeper::store(const SocketTable::Entry& entry) const {
  if (!options_.notifier.is_heard()) return;
  for (const int fd : entry.descriptors()) (void)options_.notifier.keep(stored_name(entry.spec.key), fd);
}

void Keeper::answer(Serving& serving, const Message& question) {
  const bool is_new = !sockets_.entries().contains(question.socket.key);
  const auto opened = sockets_.open(question.socket, serving.id);
  if (opened && is_new) store(**opened);
  if (!opened) {
    tell(serving, {.kind = Kind::Refused,
                   .number = question.number,
                   .code = opened.error().code(),
                   .text = opened.error().text()});
    return;
  }
  const std::vector<int> all = (*opened)->descriptors();
  const Message found{
      .kind = Kind::SocketIs,
      .number = question.number,
      .socket = {.address = (*opened)->address().to_string(),
                 .datagram_sockets = question.socket.datagram_sockets != 0 ? static_cast<int>(all.size()) : 0}};
  for (std::span<const int> left = all; !left.empty();) {
    const std::size_t some = std::min(left.size(), io::Channel::descriptors_max);
    tell(serving, found, left.first(some));
    left = left.subspan(some);
  }
}

void Keeper::now_serves(Serving& serving) {
  const bool is_new = serving.stage == Stage::Starting;  // else it has read its configuration again
  // It has been ended already; should it be followed, a keeper that goes on as a new program would not know of the end.
  if (is_new && stopping_) return;
  if (is_new) {
    Serving* before = find(Stage::Serving);
    serving.stage = Stage::Serving;
    has_served_ = true;
    if (before != nullptr) {
      before->stage = Stage::Draining;
      tell(*before, {.kind = Kind::Drain});
    }
    for (; !events_.empty(); events_.pop_front()) tell(serving, events_.front());
    sockets_.close_offered();
    sockets_.forget(SocketTable::next_holder, SocketTable::Heir::None);  // it has asked for all that it wants
    if (!upgrade_) reload_put_off();
  }
  (void)options_.notifier.ready();
  if (!upgrade_ || !is_new) return;
  upgrade_.reset();
  disarm();
  reload_put_off();
  event("upgrade.done",
        fmt::format("process {} serves; the one before ends what it has under way", serving.process.id()));
  replace_ourselves();
}

void Keeper::signalled(int number) {
  if (number == SIGUSR2) {
    begin_upgrade();
    return;
  }
  if (number == SIGTERM || number == SIGINT) {
    stopping_ = true;
    // Nobody follows. Before the serving process hears of it: when it tells its clients to go, those that come back at
    // once must find no socket any more.
    close_sockets();
    // The state that was asked for may still come; nobody is to be started with it.
    upgrade_.reset();
    disarm();
    if (servings_.empty()) scope_.cancel();  // the wait for another start
  }
  if (number == SIGHUP) {
    reload_wanted_ = true;
    if (!upgrade_) reload_put_off();
    return;
  }
  for (const ServingPointer& each : servings_) {
    if (each->stage == Stage::Starting && stopping_) {
      (void)each->process.signal(SIGKILL);  // it serves nobody
    } else {
      (void)each->process.signal(number);
    }
  }
}

void Keeper::close_sockets() {
  for (const auto& [key, entry] : sockets_.entries()) (void)options_.notifier.keep_no_longer(stored_name(key));
  sockets_.close();
}

void Keeper::reload_put_off() {
  Serving* now = find(Stage::Serving);
  if (!reload_wanted_ || now == nullptr) return;
  reload_wanted_ = false;
  (void)now->process.signal(SIGHUP);
}

void Keeper::begin_upgrade() {
  Serving* now = find(Stage::Serving);
  if (upgrade_ || stopping_ || now == nullptr) {
    event("upgrade.refused", upgrade_ ? "another one is under way" : "nothing serves that could be replaced");
    return;
  }
  (void)options_.notifier.reloading();
  upgrade_ = Upgrade{};
  tell(*now, {.kind = Kind::HandOver, .number = 1});
  loop_.timers().arm(*this, io::Clock::now() + state_patience);
}

void Keeper::start_next() {
  const Result<ServingPointer> next = start();
  if (!next) {
    give_up_upgrade(next.error().text());
    return;
  }
  upgrade_->step = Upgrade::Step::Started;
  loop_.timers().arm(*this, io::Clock::now() + start_patience);
}

void Keeper::give_up_upgrade(const std::string& why) {
  upgrade_.reset();
  disarm();
  if (Serving* now = find(Stage::Serving); now != nullptr) tell(*now, {.kind = Kind::GoOn});
  reload_put_off();
  event("upgrade.failed", fmt::format("{}; the present process goes on serving", why));
  (void)options_.notifier.ready();
}

void Keeper::expired() {
  if (!upgrade_) return;
  if (upgrade_->step == Upgrade::Step::AskedForState) {
    give_up_upgrade(fmt::format("the serving process did not tell its state within {} s", state_patience.count()));
    return;
  }
  upgrade_->why_not = fmt::format("the new process did not serve within {} s", start_patience.count());
  if (Serving* next = find(Stage::Starting); next != nullptr) (void)next->process.signal(SIGKILL);
}

void Keeper::event(const std::string& kind, const std::string& text) {
  Message message{.kind = Kind::Event, .event = kind, .subject = "ballast", .text = text};
  if (Serving* now = find(Stage::Serving); now != nullptr) {
    tell(*now, message);
    return;
  }
  // Nobody is there who would log it.
  options_.say(fmt::format("{} ballast: {}", kind, text));
  message.number = 1;
  if (events_.size() == events_max) events_.pop_front();
  events_.push_back(std::move(message));
}

void Keeper::tell(Serving& serving, const Message& message, std::span<const int> descriptors) {
  if (!serving.channel.is_open()) return;
  const Result<> told = serving.channel.send(write(message), descriptors);
  if (told || told.error().code() == Code::Closed) return;  // one that has gone is noticed by its end
  options_.say(fmt::format("process {}: {}", serving.process.id(), told.error().text()));
}

}  // namespace ballast::handover

#include "handover/keeper_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "io/loop.h"

namespace ballast::handover {
namespace {

constexpr std::size_t counts_bytes_max = 256 * mib;

}  // namespace

KeeperLink::KeeperLink(io::Loop& loop, io::Channel channel, std::string state_before)
    : loop_(loop), channel_(std::move(channel)), state_before_(std::move(state_before)) {}

void KeeperLink::serve(Charge& charge) {
  charge_ = &charge;
  watcher_ = std::make_unique<io::Watcher>(loop_, channel_.fd(), io::Interest{.read = true}, [this] { hear(); });
}

Result<io::ListeningSocket> KeeperLink::open(const io::SocketSpec& spec) {
  auto opened = ask_for(spec);
  if (!opened) return fail(std::move(opened.error()));
  auto socket = io::ListeningSocket::take_over(std::move(opened->descriptors.front()));
  if (!socket) return socket;
  if (auto address = io::SocketAddress::read(opened->address)) socket->rename(*address);
  return socket;
}

Result<io::BoundDatagrams> KeeperLink::open_datagrams(const io::SocketSpec& spec) {
  auto opened = ask_for(spec);
  if (!opened) return fail(std::move(opened.error()));
  return io::BoundDatagrams::take_over(std::move(opened->descriptors));
}

Result<KeeperLink::Opened> KeeperLink::ask_for(const io::SocketSpec& spec) {
  // A bind takes no time; a keeper that is being replaced by its newer version, some milliseconds.
  constexpr auto patience = std::chrono::seconds(10);
  const std::uint64_t number = ++questions_;
  const Result<> asked = channel_.send(write({.kind = Kind::OpenSocket, .number = number, .socket = spec}));
  if (!asked) return fail(std::move(asked.error()));
  Opened opened;
  std::size_t wanted = 1;  // more than one message can carry come in several
  while (opened.descriptors.size() < wanted) {
    auto heard = channel_.receive(patience);
    if (!heard) return fail(std::move(heard.error()).within("ask the keeper for a socket"));
    const Result<Message> answer = read(heard->text);
    if (!answer || answer->number != number) {
      put_off_.push_back(std::move(*heard));
      continue;
    }
    if (answer->kind == Kind::Refused) return fail(answer->code, answer->text);
    if (heard->descriptors.empty()) return fail(Code::Malformed, "the keeper has answered without a socket");
    opened.address = answer->socket.address;
    wanted = static_cast<std::size_t>(std::max(1, answer->socket.datagram_sockets));
    for (io::OwnedFd& each : heard->descriptors) opened.descriptors.push_back(std::move(each));
  }
  if (!put_off_.empty()) loop_.at_round_end([this] { hear(); });
  return opened;
}

void KeeperLink::release(const io::SocketSpec& spec) {
  tell({.kind = Kind::ReleaseSocket, .socket = spec});
}

Result<> KeeperLink::upgrade() {
  return channel_.send(write({.kind = Kind::Upgrade}));
}

void KeeperLink::tell_file(const Message& message, const std::string& text) {
  const Result<io::OwnedFd> file = io::memory_file("ballast-state", text);
  if (!file) return;  // no memory: the keeper has an older one
  const std::array<int, 1> passed{file->get()};
  (void)channel_.send(write(message), passed);
}

void KeeperLink::hear() {
  while (!put_off_.empty()) {
    io::Channel::Message heard = std::move(put_off_.front());
    put_off_.pop_front();
    take(std::move(heard));
  }
  while (true) {
    auto heard = channel_.receive();
    if (!heard) watcher_.reset();  // we are about to be killed
    if (!heard || !heard->has_value()) return;
    take(std::move(**heard));
  }
}

void KeeperLink::take(io::Channel::Message heard) {
  const Result<Message> message = read(heard.text);
  if (!message || charge_ == nullptr) return;
  switch (message->kind) {
    case Kind::HandOver:
      tell_file({.kind = Kind::State, .number = message->number}, charge_->state());
      break;
    case Kind::GoOn:
      charge_->go_on();
      break;
    case Kind::Drain:
      charge_->drain();
      break;
    case Kind::Event:
      charge_->event({message->event, message->subject, message->text, message->number != 0});
      break;
    case Kind::Counts:
      if (heard.descriptors.empty()) break;
      if (const auto counts = io::read_all(heard.descriptors.front().get(), counts_bytes_max)) {
        charge_->add_counts(*counts);
      }
      break;
    default:
      break;
  }
}

}  // namespace ballast::handover

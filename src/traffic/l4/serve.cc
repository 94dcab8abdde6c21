#include "traffic/l4/serve.h"

#include <optional>
#include <utility>
#include <vector>

#include "io/loop.h"
#include "traffic/connect.h"
#include "traffic/connection_count.h"
#include "traffic/explain/connection.h"
#include "traffic/l4/hello.h"
#include "traffic/l4/tunnel.h"
#include "traffic/outlier/failure.h"
#include "traffic/secure.h"
#include "traffic/worker.h"

namespace ballast::traffic {
namespace {

// One connection's way: what is counted and logged of it.
class TcpConnection {
 public:
  TcpConnection(Worker& worker, ListenerShare& listener, tls::EitherStream client, const io::Peer& peer,
                std::shared_ptr<const Told> told, io::Strand& strand)
      : worker_(worker),
        plan_(worker.plan()),
        listener_(plan_->listener(listener)),
        client_(std::move(client)),
        peer_(peer),
        told_(std::move(told)),
        strand_(strand),
        began_(worker.loop().now()) {}

  io::Task<void> run() {
    // During its handshake the listener may have been removed, or have become one that passes TLS through: its targets
    // would not expect what was inside.
    if (listener_ == nullptr || (client_.secure() != nullptr && listener_->tls.empty())) {
      client_.get().close();
      co_return;
    }
    if (client_.secure() != nullptr) sni_ = client_.secure()->server_name();
    Buffer first;
    if (!read_first(first)) {
      client_.get().close();
      co_return;
    }
    if (passes_tls_through(*listener_->settings) && !co_await read_name(first)) {
      bytes_in_ = first.size();
      finish();
      co_return;
    }
    route_ = listener_->routes->match(facts());
    if (route_ == nullptr) {
      reason_ = Reason::NameRefused;
      bytes_in_ = first.size();
      refuse();
      finish();
      co_return;
    }
    const auto* forward_to = std::get_if<ForwardTo>(&route_->action);
    CHECK(forward_to != nullptr);  // the configuration allows a listener of layer 4 nothing else
    ListenerCell& cell = worker_.cell_of(*listener_->share);
    cell.traffic.in_flight.add();
    co_await forward(*forward_to, std::move(first));
    cell.traffic.in_flight.subtract();
    finish();
  }

 private:
  // Where no rule matches. Behind a handshake of ours it is too late for an alert about the name.
  void refuse() {
    if (client_.secure() != nullptr) {
      client_.get().close();
    } else {
      refuse_client(client_.get(), tls::Alert::UnrecognizedName);
    }
  }

  RequestFacts facts() const {
    RequestFacts facts;
    facts.source = peer_.bytes;
    facts.sni = sni_;
    return facts;
  }

  // False: the client did not say which name it asks for, and reason_ tells why.
  io::Task<bool> read_name(Buffer& first) {
    tls::ClientHelloReader reader;
    const io::Deadline deadline = worker_.loop().after(listener_->settings->timeouts.header);
    const HelloRead read = co_await read_hello(client_.get(), first, reader, deadline);
    sni_ = reader.hello().server_name;
    hello_defect_ = reader.defect();
    reason_ = read.reason;
    co_return read.is_there;
  }

  // What is there already; false where the client has gone again. That it has sent its last byte is no farewell, unless
  // it would have had to speak first.
  bool read_first(Buffer& first) {
    const auto buffer = worker_.loop().receive_buffer();
    const io::Transfer got = client_.get().try_read(buffer.data(), buffer.size());
    if (got.state == io::TransferState::Done) first.append({buffer.data(), got.count});
    // Behind a header that tells of no client (LOCAL), it is the end of a check of the balancer in front.
    const bool is_check = told_ != nullptr && !told_->has_destination;
    if (got.state == io::TransferState::End) return !is_check && !passes_tls_through(*listener_->settings);
    return got.state == io::TransferState::Done || got.state == io::TransferState::WouldBlock;
  }

  io::Task<void> forward(const ForwardTo& forward_to, Buffer first) {
    const ForwardTo::Choice* choice = forward_to.pick(worker_.random());
    reason_ = Reason::NoTarget;
    if (choice == nullptr) co_return;
    group_ = plan_->groups[choice->group_index].get();
    GroupCell& group_cell = worker_.cell_of(*group_->share);
    group_cell.traffic.in_flight.add();
    std::optional<tls::EitherStream> stream = co_await connect_any();
    if (stream.has_value()) {
      reason_ = Reason::None;
      TargetCell& cell = worker_.cell_of(*target_);
      cell.connections.add();
      TunnelSides sides{
          .client = client_.get(), .target = stream->get(), .to_target = std::move(first), .to_client = {}};
      const TunnelResult result = co_await tunnel(sides, listener_->settings->timeouts.idle);
      cell.connections.subtract();
      cell.traffic.in_flight.subtract();
      use_.reset();
      bytes_in_ = result.to_target_bytes;
      bytes_out_ = result.to_client_bytes;
      if (result.end == TunnelEnd::ClientCut) reason_ = Reason::ClientGone;
      if (result.end == TunnelEnd::TargetCut) reason_ = Reason::TargetReset;
      if (result.end == TunnelEnd::Idle) reason_ = Reason::BodyTimeout;
      if (result.end == TunnelEnd::Cancelled) reason_ = Reason::Stopped;
    }
    group_cell.traffic.in_flight.subtract();
  }

  io::Task<std::optional<tls::EitherStream>> connect_any() {
    const config::TargetGroup& settings = *group_->settings;
    const auto loads = [this](std::uint32_t slot) {
      TargetShare& target = *group_->targets[slot];
      return Load{static_cast<std::uint32_t>(worker_.cell_of(target).traffic.in_flight.get()),
                  worker_.local_of(target).latency.at(worker_.loop().now())};
    };
    const std::uint64_t key =
        group_->balancer.needs_key() ? key_of({reinterpret_cast<const char*>(peer_.bytes.data()), 16}) : 0;
    Picker picker(group_->balancer, key);
    Picker reserve(group_->reserve, key);
    while (attempts_ < settings.retries.attempts) {
      auto slot = picker.next(worker_.state_of(*group_->share), loads);
      if (!slot.has_value() && attempts_ != 0) slot = reserve.next(worker_.state_of(*group_->share), loads);
      if (!slot.has_value()) break;
      TargetShare& next = *group_->targets[*slot];
      TargetCell& cell = worker_.cell_of(next);
      // Those still being made count: a burst must not pass the limit, nor a drain be over, before they stand.
      if (settings.target_connections_max != 0 && cell.traffic.in_flight.get() >= settings.target_connections_max) {
        if (reason_ == Reason::NoTarget) reason_ = Reason::TargetsFull;
        continue;
      }
      target_ = &next;
      if (attempts_++ != 0) worker_.cell_of(*group_->share).retries.add();
      cell.connects.add();
      use_.emplace(worker_.local_of(next).uses, strand_);
      cell.traffic.in_flight.add();
      const io::Instant began = worker_.loop().now();
      Connecting how;
      const Introduction introduction{
          .client = peer_, .told = told_.get(), .connection = &client_.descriptor(), .sni = sni_};
      auto stream = co_await connect_target(worker_, introduction, *group_, *target_,
                                            worker_.loop().after(settings.timeouts.connect), &how);
      connect_took_ = worker_.loop().now() - began;
      if (stream) {
        connected_ = worker_.loop().now();
        worker_.local_of(*target_).latency.observe(std::chrono::duration_cast<std::chrono::microseconds>(connect_took_),
                                                   worker_.loop().now());
        if (group_->judges) cell.outcomes.run.answered();
        co_return std::move(*stream);
      }
      cell.traffic.in_flight.subtract();
      use_.reset();
      cell.connect_failures.add();
      reason_ = reason_of_connect(stream.error().code());
      const bool is_called_off = stream.error().code() == Code::Cancelled;
      if (group_->judges && !outlier::is_of_this_machine(stream.error().code())) {
        cell.outcomes.failed(outlier::failure_of(reason_));
      }
      failed_.push_back({.target = target_,
                         .began = began,
                         .connect = how.tcp,
                         .tls = how.tls,
                         .reason = reason_,
                         .again = is_called_off                           ? Again::Stopped
                                  : attempts_ < settings.retries.attempts ? Again::NextTarget
                                                                          : Again::AttemptsUsed,
                         .text = std::move(how.trouble)});
      if (is_called_off) break;
    }
    if (!failed_.empty() && failed_.back().again == Again::NextTarget) failed_.back().again = Again::NoTargetLeft;
    co_return std::nullopt;
  }

  void finish() {
    const io::Duration took = worker_.loop().now() - began_;
    const Finished finished{.bytes_in = bytes_in_,
                            .bytes_out = bytes_out_,
                            .took = std::chrono::duration_cast<std::chrono::microseconds>(took)};
    const auto reason = static_cast<std::size_t>(reason_);
    ListenerCell& cell = worker_.cell_of(*listener_->share);
    cell.traffic.finished(finished);
    if (reason_ != Reason::None) cell.errors[reason].add();
    if (group_ != nullptr) {
      GroupCell& group_cell = worker_.cell_of(*group_->share);
      group_cell.traffic.finished(finished);
      if (reason_ != Reason::None) group_cell.errors[reason].add();
    }
    if (target_ != nullptr) worker_.cell_of(*target_).traffic.finished(finished);
    // A probe: nothing was said and nothing went wrong.
    const bool silent = bytes_in_ == 0 && bytes_out_ == 0 && (reason_ == Reason::None || reason_ == Reason::ClientGone);
    if (!silent && reason_ != Reason::None) keep();
    if (!silent && listener_->settings->access_log && worker_.access_log().is_on()) log(took);
  }

  void keep() {
    // One that was connected to, and then it came to this.
    if (std::cmp_less(failed_.size(), attempts_)) {
      failed_.push_back(
          {.target = target_, .began = connected_ - connect_took_, .connect = connect_took_, .reason = reason_});
    }
    keep_record(worker_, {.listener = *listener_->settings,
                          .peer = peer_,
                          .told = told_.get(),
                          .cause = reason_,
                          .defect = tls::to_string(hello_defect_),
                          .sni = sni_,
                          .rule = route_ != nullptr ? Bytes(route_->name) : Bytes(),
                          .group = group_ != nullptr ? Bytes(group_->settings->name) : Bytes(),
                          .id = told_ != nullptr ? Bytes(told_->unique_id) : Bytes(),
                          .bytes_in = bytes_in_,
                          .bytes_out = bytes_out_,
                          .began = began_,
                          .attempts = failed_});
  }

  void log(io::Duration took) {
    const std::string client = peer_.host();
    const std::string proxy = told_ != nullptr ? told_->proxy.host() : std::string();
    const bool is_tls = listener_->settings->protocol == config::ListenerProtocol::Tls;
    const auto us = [](io::Duration duration) {
      return duration.count() < 0 ? -1 : std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    };
    const tls::Stream* secure = client_.secure();
    worker_.access_log().write({
        .at = std::chrono::system_clock::now(),
        .listener = listener_->settings->name,
        .client = client,
        .proxy = proxy,
        .layer4 = is_tls ? "tls" : "tcp",
        .reason = to_string(reason_),
        .defect = tls::to_string(hello_defect_),
        .rule = is_tls && route_ != nullptr ? Bytes(route_->name) : Bytes(),
        .group = group_ != nullptr ? Bytes(group_->settings->name) : Bytes(),
        .target_name = target_ != nullptr ? Bytes(target_->name) : Bytes(),
        .attempts = attempts_,
        .bytes_in = bytes_in_,
        .bytes_out = bytes_out_,
        .duration_us = us(took),
        .connect_us = us(connect_took_),
        .request_id = told_ != nullptr ? Bytes(told_->unique_id) : Bytes(),
        .tls_version = secure != nullptr ? secure->version() : Bytes(),
        .tls_cipher = secure != nullptr ? secure->cipher() : Bytes(),
        .sni = sni_,
    });
  }

  Worker& worker_;
  std::shared_ptr<const Plan> plan_;
  const PlanListener* listener_;
  tls::EitherStream client_;
  io::Peer peer_;
  std::shared_ptr<const Told> told_;
  io::Strand& strand_;
  io::Instant began_;
  std::string sni_;
  tls::HelloDefect hello_defect_ = tls::HelloDefect::None;
  const Route* route_ = nullptr;
  const PlanGroup* group_ = nullptr;
  TargetShare* target_ = nullptr;
  std::optional<TargetUse> use_;  // of target_, from the attempt to reach it to the end
  Reason reason_ = Reason::None;
  int attempts_ = 0;
  std::vector<AttemptNote> failed_;  // of those, at most retries.attempts
  io::Duration connect_took_{-1};
  io::Instant connected_{};
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace

io::Task<void> serve_tcp(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                         std::shared_ptr<const Told> told, AddressHold hold) {
  const AddressHold held = std::move(hold);
  const ConnectionCount count(worker, *listener);
  io::Strand& strand = co_await io::this_strand();
  if (const PlanListener* plan = worker.plan()->listener(*listener); plan != nullptr && !plan->tls.empty()) {
    std::unique_ptr<tls::Stream> secure = co_await shake_hands(worker, listener, fd, peer, told);
    if (secure == nullptr) co_return;
    TcpConnection connection(worker, *listener, std::move(secure), peer, std::move(told), strand);
    co_await connection.run();
    co_return;
  }
  io::TcpStream plain{io::Descriptor(worker.loop(), fd)};
  TcpConnection connection(worker, *listener, std::move(plain), peer, std::move(told), strand);
  co_await connection.run();
}

}  // namespace ballast::traffic

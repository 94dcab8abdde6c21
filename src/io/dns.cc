#include "io/dns.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include <ares.h>
#include <netdb.h>

#include <fmt/format.h>

#include "base/check.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/watcher.h"

namespace ballast::io {
namespace {

constexpr std::size_t addresses_max = 256;  // more of one name are of no use to a balancer
constexpr std::chrono::seconds ttl_min{1};
constexpr std::chrono::seconds ttl_max{3600};
constexpr std::chrono::seconds ttl_unknown{30};

class Answered;

// One question; held by the coroutine that waits and by c-ares until it answers.
struct Query {
  std::size_t* under_way = nullptr;  // of the channel; c-ares answers all before the channel goes
  Answered* waiter = nullptr;
  bool is_settled = false;
  bool is_from_wire = false;  // not answered at once, thus not by the hosts file
  int status = ARES_ECANCELLED;
  Resolved answer;
};

class [[nodiscard]] Answered : private Suspension {
 public:
  Answered(Query& query, Deadline deadline) : query_(query), deadline_(deadline) {}
  bool await_ready() const noexcept { return query_.is_settled; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    if (!suspend(handle, *handle.promise().strand(), deadline_)) return false;
    query_.waiter = this;
    return true;
  }
  Wake await_resume() const noexcept { return why(); }
  // Soon, not now: c-ares is at work further up the stack.
  void settled() { wake_soon(Wake::Event); }

 private:
  void detach() override { query_.waiter = nullptr; }
  Query& query_;
  Deadline deadline_;
};

Resolved take(const ares_addrinfo& info, bool is_from_wire) {
  Resolved resolved;
  int ttl = static_cast<int>(ttl_max.count());
  for (const ares_addrinfo_cname* alias = info.cnames; alias != nullptr; alias = alias->next) {
    ttl = std::min(ttl, alias->ttl);
  }
  for (const ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
    ttl = std::min(ttl, node->ai_ttl);
    sockaddr_storage storage{};
    const auto size = std::min<std::size_t>(node->ai_addrlen, sizeof storage);
    std::copy_n(reinterpret_cast<const char*>(node->ai_addr), size, reinterpret_cast<char*>(&storage));
    const SocketAddress address = SocketAddress::from_kernel(storage, static_cast<socklen_t>(size));
    if (std::ranges::find(resolved.addresses, address) != resolved.addresses.end()) continue;
    if (resolved.addresses.size() == addresses_max) break;
    resolved.addresses.push_back(address);
  }
  resolved.ttl = is_from_wire ? std::clamp(std::chrono::seconds(ttl), ttl_min, ttl_max) : ttl_unknown;
  return resolved;
}

Error error_of(std::string_view name, int status) {
  const auto text = [&](std::string_view why) { return fmt::format("cannot resolve {}: {}", name, why); };
  switch (status) {
    case ARES_ENOTFOUND:
      return Error(Code::NotFound, text("no such name"));
    case ARES_ENODATA:
      return Error(Code::NotFound, text("the name has no address (neither A nor AAAA)"));
    case ARES_ETIMEOUT:
      return Error(Code::TimedOut, text("no name server answered (see /etc/resolv.conf)"));
    case ARES_ECONNREFUSED:
      return Error(Code::Unreachable, text("no name server can be reached (see /etc/resolv.conf)"));
    case ARES_EBADNAME:
    case ARES_EBADSTR:
      return Error(Code::Invalid, text("it is not a name that DNS can hold"));
    case ARES_ENOMEM:
      return Error(Code::Exhausted, text("out of memory"));
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return Error(Code::Cancelled, text("cancelled"));
    default:
      return Error(Code::Unreachable, text(ares_strerror(status)));
  }
}

}  // namespace

// The c-ares channel with its sockets as watchers and its time as a timer.
class Resolver::Channel final : private Timer {
 public:
  Channel(Loop& loop, std::size_t queries_max) : loop_(loop), queries_max_(queries_max) {}
  ~Channel() override {
    disarm();
    if (channel_ != nullptr) ares_destroy(channel_);  // settles every query and ends every watcher
    CHECK(under_way_ == 0);
  }

  // What c-ares says of it.
  int open(const Options& options) {
    ares_options settings{};
    settings.timeout = static_cast<int>(options.try_timeout.count());
    settings.tries = options.tries;
    settings.sock_state_cb = &Channel::socket_changed;
    settings.sock_state_cb_data = this;
    settings.lookups = const_cast<char*>("fb");  // the hosts file, then DNS
    int chosen = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS;
    if (!options.servers.empty()) {
      settings.flags = ARES_FLAG_NOSEARCH;
      chosen |= ARES_OPT_FLAGS;
    }
    const int status = ares_init_options(&channel_, &settings, chosen);
    if (status != ARES_SUCCESS || options.servers.empty()) return status;
    return ares_set_servers_ports_csv(channel_, options.servers.c_str());
  }

  bool is_full() const { return under_way_ >= queries_max_; }
  std::size_t under_way() const { return under_way_; }
  std::size_t queries_max() const { return queries_max_; }

  void ask(const std::string& name, std::uint16_t port, const std::shared_ptr<Query>& query) {
    ares_addrinfo_hints hints{};
    // No sorting: it would open a socket for each address, and the balancer has an order of its own.
    hints.ai_flags = ARES_AI_NUMERICSERV | ARES_AI_NOSORT;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ++under_way_;
    query->under_way = &under_way_;
    const std::string service = std::to_string(port);
    ares_getaddrinfo(channel_, name.c_str(), service.c_str(), &hints, &Channel::answered,
                     new std::shared_ptr<Query>(query));
    query->is_from_wire = true;
    arm_timer();
  }

 private:
  static void answered(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
    const std::unique_ptr<std::shared_ptr<Query>> held(static_cast<std::shared_ptr<Query>*>(argument));
    Query& query = **held;
    --*query.under_way;
    query.is_settled = true;
    query.status = status;
    if (info != nullptr) {
      if (status == ARES_SUCCESS) query.answer = take(*info, query.is_from_wire);
      ares_freeaddrinfo(info);
    }
    if (query.waiter != nullptr) query.waiter->settled();
  }

  static void socket_changed(void* self, ares_socket_t socket, int read, int write) {
    auto& channel = *static_cast<Channel*>(self);
    channel.watchers_.erase(socket);  // first: the kernel takes one registration a descriptor
    if (read == 0 && write == 0) return;
    channel.watchers_.emplace(
        socket, std::make_unique<Watcher>(channel.loop_, socket, Interest{.read = read != 0, .write = write != 0},
                                          [&channel, socket, read, write] {
                                            channel.process(read != 0 ? socket : ARES_SOCKET_BAD,
                                                            write != 0 ? socket : ARES_SOCKET_BAD);
                                          }));
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel_, readable, writable);
    arm_timer();
  }
  void expired() override { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

  void arm_timer() {
    timeval left{};
    if (ares_timeout(channel_, nullptr, &left) == nullptr) {
      disarm();
      return;
    }
    loop_.timers().arm(*this,
                       loop_.now() + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
  }

  Loop& loop_;
  const std::size_t queries_max_;
  std::size_t under_way_ = 0;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::unique_ptr<Watcher>> watchers_;
};

Resolver::Resolver(std::unique_ptr<Channel> channel) : channel_(std::move(channel)) {}
Resolver::~Resolver() = default;

Result<std::unique_ptr<Resolver>> Resolver::make(Loop& loop, Options options) {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
  auto channel = std::make_unique<Channel>(loop, options.queries_max);
  if (const int status = channel->open(options); status != ARES_SUCCESS) {
    const std::string servers = options.servers.empty() ? "of /etc/resolv.conf" : options.servers;
    return fail(Code::Invalid, fmt::format("cannot use the name servers {}: {}", servers, ares_strerror(status)));
  }
  return std::unique_ptr<Resolver>(new Resolver(std::move(channel)));
}

std::size_t Resolver::queries_under_way() const {
  return channel_->under_way();
}

Task<Result<Resolved>> Resolver::resolve(std::string_view name, std::uint16_t port, Deadline deadline) {
  if (Result<SocketAddress> numeric = SocketAddress::numeric(name, port)) {
    co_return Resolved{.addresses = {*numeric}, .ttl = ttl_max};
  }
  constexpr std::size_t name_bytes_max = 254;  // RFC 1035, 2.3.4, and a final dot
  if (name.empty() || name.size() > name_bytes_max || name.find('\0') != std::string_view::npos) {
    co_return fail(Code::Invalid, fmt::format("cannot resolve \"{}\": a name has 1 to {} bytes, none of them NUL",
                                              name.substr(0, name_bytes_max), name_bytes_max));
  }
  if (channel_->is_full()) {
    co_return fail(Code::Exhausted,
                   fmt::format("cannot resolve {}: {} queries are under way already", name, channel_->queries_max()));
  }
  const auto query = std::make_shared<Query>();
  const std::string own_name(name);
  channel_->ask(own_name, port, query);
  // From here on `this` may be gone before we run again.
  const Wake wake = co_await Answered(*query, deadline);
  if (wake == Wake::Deadline) {
    co_return fail(Code::TimedOut, fmt::format("cannot resolve {}: no answer in time", own_name));
  }
  if (wake == Wake::Cancelled) co_return fail(Code::Cancelled);
  if (query->status != ARES_SUCCESS) co_return fail(error_of(own_name, query->status));
  if (query->answer.addresses.empty()) co_return fail(error_of(own_name, ARES_ENODATA));
  co_return std::move(query->answer);
}

}  // namespace ballast::io

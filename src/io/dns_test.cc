#include "io/dns.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"
#include "io/system.h"
#include "io/thread.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr int type_a = 1;
constexpr int type_aaaa = 28;

struct Reply {
  int code = 0;  // RCODE of RFC 1035, 4.1.1; -1: no answer at all
  std::uint32_t ttl = 60;
  std::vector<std::string> records;  // RDATA
};

std::string two_bytes(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

// A name server on a UDP port of its own: answers what `answer` says for (name, type).
class NameServer {
 public:
  using Answer = std::function<Reply(const std::string& name, int type)>;
  explicit NameServer(Answer answer)
      : answer_(std::move(answer)),
        fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
        stop_(::eventfd(0, EFD_CLOEXEC)) {
    SocketAddress any = *SocketAddress::numeric("127.0.0.1", 0);
    EXPECT_EQ(::bind(fd_, any.get(), any.size()), 0);
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size), 0);
    address_ = SocketAddress::from_kernel(storage, size).to_string();
    thread_ = Thread("name-server", [this] { run(); });
  }
  ~NameServer() {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
    ::close(fd_);
    ::close(stop_);
  }
  const std::string& address() const { return address_; }
  int questions() const { return questions_; }

 private:
  void run() {
    while (true) {
      pollfd both[2] = {{fd_, POLLIN, 0}, {stop_, POLLIN, 0}};
      ::poll(both, 2, -1);
      if (both[1].revents != 0) return;
      char bytes[1500];
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(fd_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 12) continue;
      const std::string question(bytes, static_cast<std::size_t>(got));
      const std::string reply = reply_to(question);
      ++questions_;
      if (!reply.empty()) ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  std::string reply_to(const std::string& question) {
    std::string name;
    std::size_t at = 12;
    while (question[at] != 0) {
      const auto length = static_cast<unsigned char>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
      at += length + 1U;
    }
    const int type = static_cast<unsigned char>(question[at + 2]);
    const std::string asked = question.substr(12, at + 5 - 12);
    const Reply reply = answer_(name, type);
    if (reply.code < 0) return {};
    std::string text = question.substr(0, 2) + '\x81' + static_cast<char>(0x80 | reply.code) + two_bytes(1) +
                       two_bytes(reply.records.size()) + two_bytes(0) + two_bytes(0) + asked;
    for (const std::string& record : reply.records) {
      text += two_bytes(0xc00c) + two_bytes(static_cast<std::size_t>(type)) + two_bytes(1) +
              two_bytes(reply.ttl >> 16) + two_bytes(reply.ttl & 0xffff) + two_bytes(record.size()) + record;
    }
    return text;
  }

  Answer answer_;
  int fd_;
  int stop_;
  std::string address_;
  std::atomic<int> questions_ = 0;
  Thread thread_;
};

std::string v4(int last) {
  return {'\xc0', '\0', '\x02', static_cast<char>(last)};
}
std::string v6(int last) {
  return std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + static_cast<char>(last);
}

std::atomic<int> changes = 0;

Reply zone(const std::string& name, int type) {
  if (name == "one.test" && type == type_a) return {.code = 0, .ttl = 120, .records = {v4(1)}};
  if (name == "both.test") {
    if (type == type_aaaa) return {.code = 0, .ttl = 40, .records = {v6(7)}};
    return {.code = 0, .ttl = 50, .records = {v4(1), v4(2), v4(1)}};
  }
  if (name == "other.test") {
    if (type == type_aaaa) return {.code = 0, .ttl = 50, .records = {v6(7)}};
    return {.code = 0, .ttl = 40, .records = {v4(1)}};
  }
  if (name == "short.test" && type == type_a) return {.code = 0, .ttl = 0, .records = {v4(1)}};
  if (name == "long.test" && type == type_a) return {.code = 0, .ttl = 1'000'000, .records = {v4(1)}};
  if (name == "changing.test" && type == type_a) return {.code = 0, .ttl = 1, .records = {v4(++changes)}};
  if (name == "missing.test") return {.code = 3, .ttl = 60, .records = {}};
  if (name == "broken.test") return {.code = 2, .ttl = 60, .records = {}};
  if (name == "silent.test") return {.code = -1, .ttl = 60, .records = {}};
  if (name == "six.test" && type == type_aaaa) return {.code = 0, .ttl = 60, .records = {v6(9)}};
  return {};
}

class DnsTest : public testing::Test {
 protected:
  void make(Resolver::Options options = {.servers = {}, .try_timeout = 200ms, .tries = 1}) {
    options.servers = server_.address();
    auto resolver = Resolver::make(*loop_, options);
    ASSERT_TRUE(resolver.has_value()) << resolver.error().text();
    resolver_ = std::move(*resolver);
  }
  void run(Task<void> (*task)(Loop&, Resolver&)) { run_in(*loop_, task(*loop_, *resolver_)); }
  NameServer server_{zone};
  std::unique_ptr<Loop> loop_ = make_loop();
  std::unique_ptr<Resolver> resolver_;
};

struct Outcome {
  std::vector<std::string> addresses;
  int ttl = 0;
  std::string error;
  Code code = Code::Closed;
};
Task<Outcome> look_up(Loop& loop, Resolver& resolver, std::string name, Duration wait = 5s) {
  Result<Resolved> got = co_await resolver.resolve(name, 80, Deadline::at(loop.fresh_now() + wait));
  if (!got) co_return Outcome{.addresses = {}, .ttl = 0, .error = got.error().text(), .code = got.error().code()};
  Outcome outcome{.addresses = {}, .ttl = static_cast<int>(got->ttl.count()), .error = {}};
  for (const SocketAddress& address : got->addresses) outcome.addresses.push_back(address.to_string());
  co_return outcome;
}

TEST_F(DnsTest, GivesAddressesAndTheirTime) {
  make();
  run([](Loop& loop, Resolver& resolver) -> Task<void> {
    Outcome one = co_await look_up(loop, resolver, "one.test");
    EXPECT_THAT(one.addresses, ElementsAre("192.0.2.1:80")) << one.error;
    EXPECT_EQ(one.ttl, 120);
    Outcome both = co_await look_up(loop, resolver, "both.test");
    EXPECT_THAT(both.addresses, testing::UnorderedElementsAre("192.0.2.1:80", "192.0.2.2:80", "[2001:db8::7]:80"));
    EXPECT_EQ(both.ttl, 40) << "the shortest";
    EXPECT_EQ((co_await look_up(loop, resolver, "other.test")).ttl, 40) << "whichever comes first";
    EXPECT_THAT((co_await look_up(loop, resolver, "six.test")).addresses, ElementsAre("[2001:db8::9]:80"));
    EXPECT_EQ((co_await look_up(loop, resolver, "short.test")).ttl, 1);
    EXPECT_EQ((co_await look_up(loop, resolver, "long.test")).ttl, 3600);
    EXPECT_EQ(resolver.queries_under_way(), 0U);
  });
}

TEST_F(DnsTest, AChangedAnswerIsSeenAtOnce) {
  make();
  run([](Loop& loop, Resolver& resolver) -> Task<void> {
    changes = 0;
    EXPECT_THAT((co_await look_up(loop, resolver, "changing.test")).addresses, ElementsAre("192.0.2.1:80"));
    EXPECT_THAT((co_await look_up(loop, resolver, "changing.test")).addresses, ElementsAre("192.0.2.2:80"));
  });
}

TEST_F(DnsTest, SaysWhatIsWrong) {
  make();
  run([](Loop& loop, Resolver& resolver) -> Task<void> {
    const Outcome missing = co_await look_up(loop, resolver, "missing.test");
    EXPECT_EQ(missing.error, "cannot resolve missing.test: no such name");
    EXPECT_EQ(missing.code, Code::NotFound);
    const Outcome empty = co_await look_up(loop, resolver, "empty.test");
    EXPECT_EQ(empty.error, "cannot resolve empty.test: the name has no address (neither A nor AAAA)");
    EXPECT_EQ(empty.code, Code::NotFound);
    const Outcome broken = co_await look_up(loop, resolver, "broken.test");
    EXPECT_EQ(broken.code, Code::Unreachable) << broken.error;
    const Outcome silent = co_await look_up(loop, resolver, "silent.test");
    EXPECT_EQ(silent.error, "cannot resolve silent.test: no name server answered (see /etc/resolv.conf)");
    EXPECT_EQ(silent.code, Code::TimedOut);
    const Outcome late = co_await look_up(loop, resolver, "silent.test", 20ms);
    EXPECT_EQ(late.error, "cannot resolve silent.test: no answer in time");
    EXPECT_EQ(late.code, Code::TimedOut);
    for (const std::string& name : {std::string(), std::string(255, 'a'), std::string("a\0b", 3)}) {
      EXPECT_EQ((co_await look_up(loop, resolver, name)).code, Code::Invalid);
    }
    const Outcome odd = co_await look_up(loop, resolver, "a..b");
    EXPECT_EQ(odd.code, Code::Invalid) << odd.error;
    EXPECT_EQ((co_await look_up(loop, resolver, std::string(70, 'x') + ".test")).code, Code::Invalid);
  });
}

TEST_F(DnsTest, KnowsNumbersAndTheHostsFileWithoutAsking) {
  make();
  run([](Loop& loop, Resolver& resolver) -> Task<void> {
    EXPECT_THAT((co_await look_up(loop, resolver, "10.1.2.3")).addresses, ElementsAre("10.1.2.3:80"));
    EXPECT_THAT((co_await look_up(loop, resolver, "::1")).addresses, ElementsAre("[::1]:80"));
    const Outcome local = co_await look_up(loop, resolver, "localhost");
    EXPECT_THAT(local.addresses, testing::Contains("127.0.0.1:80")) << local.error;
    EXPECT_EQ(local.ttl, 30);
    char own[256] = {};
    CO_ASSERT(::gethostname(own, sizeof own - 1) == 0);
    const Outcome ours = co_await look_up(loop, resolver, own);
    if (ours.addresses.empty()) std::printf("this machine's name is not in /etc/hosts: not checked\n");
  });
  EXPECT_LE(server_.questions(), 2);  // at most for a machine whose name is not in its hosts file
}

Task<void> look_up_into(Loop& loop, Resolver& resolver, std::string name, std::vector<Outcome>& outcomes) {
  outcomes.push_back(co_await look_up(loop, resolver, std::move(name)));
}

TEST_F(DnsTest, ManyAtOnceUpToABound) {
  make({.servers = {}, .try_timeout = 300ms, .tries = 1, .queries_max = 50});
  run([](Loop& loop, Resolver& resolver) -> Task<void> {
    Scope scope(loop);
    std::vector<Outcome> outcomes;
    for (int i = 0; i < 50; ++i)
      scope.spawn(look_up_into(loop, resolver, i % 2 == 0 ? "one.test" : "silent.test", outcomes));
    EXPECT_EQ(resolver.queries_under_way(), 50U);
    const Outcome refused = co_await look_up(loop, resolver, "one.test");
    EXPECT_EQ(refused.code, Code::Exhausted);
    EXPECT_EQ(refused.error, "cannot resolve one.test: 50 queries are under way already");
    EXPECT_TRUE(co_await scope.closed(loop.after(10s)));
    EXPECT_EQ(std::ranges::count_if(outcomes, [](const Outcome& one) { return !one.addresses.empty(); }), 25);
    EXPECT_EQ(resolver.queries_under_way(), 0U);
    EXPECT_THAT((co_await look_up(loop, resolver, "one.test")).addresses, ElementsAre("192.0.2.1:80"));
  });
}

TEST_F(DnsTest, ACancelledWaitLeavesTheQueryToEndByItself) {
  make();
  run([](Loop& loop, Resolver& resolver) -> Task<void> {
    Scope scope(loop);
    std::vector<Outcome> outcomes;
    scope.spawn(look_up_into(loop, resolver, "silent.test", outcomes));
    scope.spawn(look_up_into(loop, resolver, "one.test", outcomes));
    scope.cancel();
    EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
    EXPECT_EQ(outcomes.size(), 2U);
    for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.code, Code::Cancelled);
    EXPECT_EQ(resolver.queries_under_way(), 2U);
    for (int i = 0; i < 1000 && resolver.queries_under_way() > 0; ++i) co_await Sleep(loop.after(2ms));
    EXPECT_EQ(resolver.queries_under_way(), 0U);
  });
}

Task<void> destroy_under_a_query(Loop& loop, std::unique_ptr<Resolver>& resolver) {
  Scope scope(loop);
  std::vector<Outcome> outcomes;
  scope.spawn(look_up_into(loop, *resolver, "silent.test", outcomes));
  scope.spawn(look_up_into(loop, *resolver, "one.test", outcomes));
  resolver.reset();
  EXPECT_TRUE(outcomes.empty()) << "woken later, not from within the destructor";
  EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
  EXPECT_EQ(outcomes.size(), 2U);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.code, Code::Cancelled) << outcome.error;
}
TEST_F(DnsTest, DestroyingItEndsWhatIsUnderWay) {
  make();
  run_in(*loop_, destroy_under_a_query(*loop_, resolver_));
}

TEST_F(DnsTest, AServerThatIsNotThereIsSaid) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  SocketAddress any = *SocketAddress::numeric("127.0.0.1", 0);
  ASSERT_EQ(::bind(fd, any.get(), any.size()), 0);
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), 0);
  ::close(fd);
  auto resolver = Resolver::make(
      *loop_, {.servers = SocketAddress::from_kernel(storage, size).to_string(), .try_timeout = 200ms, .tries = 1});
  ASSERT_TRUE(resolver.has_value());
  resolver_ = std::move(*resolver);
  run([](Loop& loop, Resolver& absent) -> Task<void> {
    const Outcome outcome = co_await look_up(loop, absent, "one.test");
    // Which of the two: the refusal of one question may reach the other's send, then the first one waits in vain.
    EXPECT_THAT(outcome.error, testing::StartsWith("cannot resolve one.test: no name server "));
    EXPECT_THAT(outcome.code, testing::AnyOf(Code::Unreachable, Code::TimedOut));
  });
}

TEST_F(DnsTest, BadServersAreRefused) {
  const auto none = Resolver::make(*loop_, {.servers = "not an address"});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::Invalid);
  EXPECT_THAT(none.error().text(), testing::StartsWith("cannot use the name servers not an address: "));
}

TEST_F(DnsTest, LeaksNoDescriptors) {
  const std::size_t before = open_descriptor_count();
  for (int i = 0; i < 3; ++i) {
    make();
    run_in(*loop_, destroy_under_a_query(*loop_, resolver_));
    make();
    run([](Loop& loop, Resolver& resolver) -> Task<void> {
      EXPECT_THAT((co_await look_up(loop, resolver, "one.test")).addresses, ElementsAre("192.0.2.1:80"));
    });
    resolver_.reset();
  }
  EXPECT_EQ(open_descriptor_count(), before);
}

}  // namespace
}  // namespace ballast::io

#include "wire/tls/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"
#include "wire/tls/alert.h"
#include "wire/tls/test_authority.h"

namespace ballast::tls {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

struct Ends {
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
  HandshakeEnd server_end = HandshakeEnd::CalledOff;
  HandshakeEnd client_end = HandshakeEnd::CalledOff;
};

std::pair<io::TcpStream, io::TcpStream> plain_pair(io::Loop& loop) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  return {io::TcpStream(io::Descriptor(loop, ends[0])), io::TcpStream(io::Descriptor(loop, ends[1]))};
}

io::Task<void> shake(Stream& stream, HandshakeEnd& end, io::Duration patience) {
  end = co_await stream.handshake(stream.descriptor().loop().after(patience));
  if (!is_done(end)) stream.close();
}

struct TlsStream : testing::Test {
  TlsStream() {
    server_options.identity = "web";
    server_options.certificates = {certificate_of(authority.make({.names = {"DNS:site.example", "IP:127.0.0.1"}}))};
    ring->set(rotated({}, std::chrono::system_clock::now()));
    server_options.ticket_keys = ring;
    client_options.authorities = *shared_authorities(authority.pem());
  }

  void make() {
    auto made = ServerContext::make(server_options);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    server_context = *made;
    auto client = ClientContext::make(client_options);
    ASSERT_TRUE(client.has_value()) << client.error().text();
    client_context = *client;
  }

  io::Task<Ends> connect(Stream::Target target) {
    Ends ends;
    auto [a, b] = plain_pair(*loop);
    ends.server = Stream::server(server_context, std::move(a));
    ends.client = Stream::client(client_context, std::move(b), std::move(target));
    io::Scope scope(*loop);
    scope.spawn(shake(*ends.server, ends.server_end, 5s));
    scope.spawn(shake(*ends.client, ends.client_end, 5s));
    co_await scope.closed(io::Deadline::never());
    co_return ends;
  }
  io::Task<Ends> connect() { return connect({.name = "site.example", .slot = slot}); }

  void run(io::Task<void> (TlsStream::*task)()) {
    make();
    io::run_in(*loop, (this->*task)());
  }

  // How both ends' handshakes go with the options as they are.
  std::pair<HandshakeEnd, HandshakeEnd> outcome(const std::string& name) {
    make();
    return outcome_now(name);
  }
  // The same client, at a new context of the server.
  std::pair<HandshakeEnd, HandshakeEnd> again(const std::string& name) {
    const auto client = client_context;
    make();
    client_context = client;
    return outcome_now(name);
  }
  std::pair<HandshakeEnd, HandshakeEnd> outcome_now(const std::string& name) {
    std::pair<HandshakeEnd, HandshakeEnd> result;
    io::run_in(*loop, keep_outcome(name, result));
    return result;
  }
  io::Task<void> keep_outcome(std::string name, std::pair<HandshakeEnd, HandshakeEnd>& result) {
    Ends ends = co_await connect({.name = std::move(name), .slot = slot});
    result = {ends.server_end, ends.client_end};
    failure = ends.client->failure();
    server_alert = ends.server->alerted();
    client_alert = ends.client->alerted();
    subject = is_done(ends.server_end) ? ends.server->peer_subject() : "";
    if (is_done(ends.client_end) && is_done(ends.server_end)) {
      // The ticket of TLS 1.3 comes behind the handshake.
      const Result<> sent = co_await ends.server->write("x", loop->after(5s));
      CO_ASSERT(sent.has_value());
      char byte = 0;
      CO_ASSERT((co_await ends.client->read(&byte, 1, loop->after(5s))).value() == 1);
      shown = ends.client->peer_subject();
      ends.client->close();
      ends.server->close();
    }
  }

  io::Task<void> goes_on_where_the_kernel_refuses();
  io::Task<void> echoes();
  io::Task<void> wakes_for_what_is_decrypted();
  io::Task<void> is_truncated();
  io::Task<void> tells_an_end_from_a_cut();
  io::Task<void> passes_much_both_ways();
  io::Task<void> looks();
  io::Task<void> what_is_taken_arrives();

  std::unique_ptr<io::Loop> loop = io::make_loop();
  TestAuthority authority;
  ServerOptions server_options;
  ClientOptions client_options;
  std::shared_ptr<TicketKeyRing> ring = std::make_shared<TicketKeyRing>();
  std::shared_ptr<SessionSlot> slot = std::make_shared<SessionSlot>();
  std::shared_ptr<io::KernelTls> kernel = std::make_shared<io::KernelTls>(io::KernelTls::State::On, "");
  std::shared_ptr<const ServerContext> server_context;
  std::shared_ptr<const ClientContext> client_context;
  std::string failure;
  std::optional<Stream::Alerted> server_alert;
  std::optional<Stream::Alerted> client_alert;
  std::string subject;
  std::string shown;  // the subject of the server's certificate
};

io::Task<void> TlsStream::echoes() {
  Ends ends = co_await connect();
  EXPECT_EQ(ends.server_end, HandshakeEnd::Ok) << ends.server->failure();
  EXPECT_EQ(ends.client_end, HandshakeEnd::Ok) << ends.client->failure();
  EXPECT_EQ(ends.server->version(), "TLSv1.3");
  EXPECT_THAT(ends.server->cipher(), StartsWith("TLS_"));
  EXPECT_EQ(ends.server->server_name(), "site.example");
  EXPECT_EQ(ends.server->protocol(), "http/1.1");
  EXPECT_EQ(ends.client->protocol(), "http/1.1");
  EXPECT_FALSE(ends.server->is_plain());
  // Parts of any number and size arrive as one text.
  const std::array<Bytes, 4> parts{"one ", "", "two ", "three"};
  const io::Transfer put = ends.client->try_write(parts);
  EXPECT_EQ(put.count, 13U);
  char into[64];
  const Result<std::size_t> got = co_await ends.server->read(into, sizeof into, loop->after(5s));
  CO_ASSERT(got.has_value());
  EXPECT_EQ(Bytes(into, *got), "one two three");
  EXPECT_FALSE(ends.server->may_read());
}

TEST_F(TlsStream, CarriesBytes) {
  server_options.alpn = {"h9", "http/1.1"};
  client_options.alpn = {"http/1.1"};
  run(&TlsStream::echoes);
}

// More was decrypted than the reader took: it must not wait for the kernel.
io::Task<void> TlsStream::wakes_for_what_is_decrypted() {
  Ends ends = co_await connect();
  EXPECT_EQ(ends.client->try_write(Bytes("0123456789")).count, 10U);
  char into[4];
  std::string all;
  for (int i = 0; i < 3; ++i) {
    if (i != 0) EXPECT_TRUE(ends.server->may_read());
    const io::Wake wake = co_await ends.server->until_readable(loop->after(5s));
    CO_ASSERT(wake == io::Wake::Event);
    const io::Transfer got = ends.server->try_read(into, sizeof into);
    CO_ASSERT(got.state == io::TransferState::Done);
    all.append(into, got.count);
  }
  EXPECT_EQ(all, "0123456789");
  EXPECT_FALSE(ends.server->may_read());
  EXPECT_EQ(ends.server->try_read(into, sizeof into).state, io::TransferState::WouldBlock);
}

TEST_F(TlsStream, DecryptedBytesKeepItReadable) {
  run(&TlsStream::wakes_for_what_is_decrypted);
}

io::Task<void> TlsStream::tells_an_end_from_a_cut() {
  char into[64];
  Ends ends = co_await connect();
  EXPECT_EQ(ends.client->try_write(Bytes("bye")).count, 3U);
  ends.client->end();
  EXPECT_EQ((co_await ends.server->read(into, sizeof into, loop->after(5s))).value_or(99), 3U);
  EXPECT_TRUE(ends.server->may_read());
  EXPECT_EQ((co_await ends.server->read(into, sizeof into, loop->after(5s))).value_or(99), 0U);
  EXPECT_FALSE(ends.server->was_truncated());
  // The other direction goes on.
  EXPECT_EQ(ends.server->try_write(Bytes("last words")).count, 10U);
  EXPECT_EQ((co_await ends.client->read(into, sizeof into, loop->after(5s))).value_or(99), 10U);
  ends.server->close();
  EXPECT_EQ((co_await ends.client->read(into, sizeof into, loop->after(5s))).value_or(99), 0U);
}

TEST_F(TlsStream, EndsInOrder) {
  run(&TlsStream::tells_an_end_from_a_cut);
}

io::Task<void> TlsStream::is_truncated() {
  char into[64];
  Ends ends = co_await connect();
  EXPECT_EQ(ends.client->try_write(Bytes("half a messa")).count, 12U);
  ::shutdown(ends.client->descriptor().fd(), SHUT_WR);
  EXPECT_EQ((co_await ends.server->read(into, sizeof into, loop->after(5s))).value_or(99), 12U);
  for (int i = 0; i < 2; ++i) {
    const Result<std::size_t> got = co_await ends.server->read(into, sizeof into, loop->after(5s));
    CO_ASSERT(!got.has_value());
    EXPECT_EQ(got.error().code(), Code::Closed);
  }
  EXPECT_TRUE(ends.server->was_truncated());
}

TEST_F(TlsStream, TellsThatItWasTruncated) {
  run(&TlsStream::is_truncated);
}

io::Task<void> send_all(Stream& stream, const std::string& text, std::size_t piece) {
  io::Loop& loop = stream.descriptor().loop();
  for (Bytes rest = text; !rest.empty();) {
    const std::size_t head = std::min(rest.size(), piece / 3);
    const std::array<Bytes, 2> parts{rest.substr(0, head), rest.substr(head, piece - head)};
    const io::Transfer put = stream.try_write(parts);
    if (put.state == io::TransferState::Done) {
      rest.remove_prefix(put.count);
      continue;
    }
    CO_ASSERT(put.state == io::TransferState::WouldBlock);
    CO_ASSERT(co_await stream.until_writable(loop.after(5s)) == io::Wake::Event);
  }
  while (!stream.end()) CO_ASSERT(co_await stream.until_writable(loop.after(5s)) == io::Wake::Event);
}

io::Task<void> receive_all(Stream& stream, std::string& text, std::size_t piece) {
  io::Loop& loop = stream.descriptor().loop();
  std::string into(piece, '\0');
  while (true) {
    const Result<std::size_t> got = co_await stream.read(into.data(), into.size(), loop.after(5s));
    if (!got) ADD_FAILURE() << got.error().text() << " after " << text.size();
    CO_ASSERT(got.has_value());
    if (*got == 0) co_return;
    text.append(into, 0, *got);
  }
}

io::Task<void> TlsStream::passes_much_both_ways() {
  std::string text(3'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7919 >> 3);
  // Small socket buffers: the kernel takes part of a record, and the rest is owed.
  for (const std::size_t piece : {std::size_t{700}, std::size_t{16'000}, std::size_t{65'536}, std::size_t{200'000}}) {
    Ends ends = co_await connect();
    for (Stream* stream : {ends.server.get(), ends.client.get()}) {
      const int small = 5000;
      ::setsockopt(stream->descriptor().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    std::string up;
    std::string down;
    io::Scope scope(*loop);
    scope.spawn(receive_all(*ends.server, up, 65'536));
    scope.spawn(receive_all(*ends.client, down, piece));
    scope.spawn(send_all(*ends.server, text, piece));
    scope.spawn(send_all(*ends.client, text, 65'536));
    co_await scope.closed(io::Deadline::never());
    for (const std::string* passed : {&up, &down}) {
      EXPECT_EQ(passed->size(), text.size()) << piece;
      EXPECT_TRUE(*passed == text) << piece << ": differs at "
                                   << std::mismatch(passed->begin(), passed->end(), text.begin(), text.end()).first -
                                          passed->begin();
    }
    ends.client->close();
    ends.server->close();
  }
}

// What was said to be taken reaches the peer without another call: a sender that has sent all may go.
io::Task<void> TlsStream::what_is_taken_arrives() {
  Ends ends = co_await connect();
  const std::string text(40'000, 'x');
  std::size_t taken = 0;
  while (true) {
    const io::Transfer put = ends.server->try_write(Bytes(text));
    if (put.state != io::TransferState::Done) break;
    taken += put.count;
  }
  EXPECT_GT(taken, 40'000U);
  std::size_t arrived = 0;
  std::string into(65'536, '\0');
  while (arrived < taken) {
    const Result<std::size_t> got = co_await ends.client->read(into.data(), into.size(), loop->after(300ms));
    CO_ASSERT(got.has_value());
    arrived += *got;
  }
  EXPECT_GE(arrived, taken);
}

TEST_F(TlsStream, WhatIsTakenArrives) {
  run(&TlsStream::what_is_taken_arrives);
}

TEST_F(TlsStream, PassesMuchBothWays) {
  run(&TlsStream::passes_much_both_ways);
}

// A ticket that comes while a connection to a target rests is not an answer to nothing.
io::Task<void> TlsStream::looks() {
  Ends ends = co_await connect();
  EXPECT_TRUE((co_await ends.client->until_readable(loop->after(5s))) == io::Wake::Event);
  EXPECT_TRUE(ends.client->may_read());
  ends.client->look();
  EXPECT_FALSE(ends.client->may_read());
  EXPECT_NE(slot->session, nullptr);
  EXPECT_EQ(ends.server->try_write(Bytes("x")).count, 1U);
  CO_ASSERT((co_await ends.client->until_readable(loop->after(5s))) == io::Wake::Event);
  ends.client->look();
  EXPECT_TRUE(ends.client->may_read());
  ends.client->look();
  char into[4];
  EXPECT_EQ(ends.client->try_read(into, sizeof into).count, 1U);
}

TEST_F(TlsStream, LooksThroughTickets) {
  run(&TlsStream::looks);
}

using Outcome = std::pair<HandshakeEnd, HandshakeEnd>;
const Outcome both_ok{HandshakeEnd::Ok, HandshakeEnd::Ok};
const Outcome both_resumed{HandshakeEnd::Resumed, HandshakeEnd::Resumed};

TEST_F(TlsStream, ResumesAtAnotherContextWithTheSameKeys) {
  EXPECT_EQ(outcome("site.example"), both_ok);
  EXPECT_EQ(again("site.example"), both_resumed);
  // After a rotation the old key still opens.
  ring->set(rotated(ring->get(), std::chrono::system_clock::now() + 13h));
  EXPECT_EQ(again("site.example"), both_resumed);
  ring->set(rotated({}, std::chrono::system_clock::now()));
  EXPECT_EQ(again("site.example"), both_ok);
  server_options.ticket_keys = nullptr;
  EXPECT_EQ(again("site.example"), both_ok);
}

// A session is no way around another listener's authorities.
TEST_F(TlsStream, SessionsAreOfOneListener) {
  EXPECT_EQ(outcome("site.example"), both_ok);
  server_options.identity = "other";
  EXPECT_EQ(again("site.example"), both_ok);
  server_options.clients = ClientAuthentication::Required;
  server_options.authorities_pem = authority.pem();
  EXPECT_EQ(again("site.example").first, HandshakeEnd::NoCertificate);
}

TEST_F(TlsStream, ClientsShowCertificates) {
  const TestAuthority people("People");
  const Made alice = people.make({.subject = "alice"});
  const Made mallory = TestAuthority("Strangers").make({.subject = "alice"});
  server_options.authorities_pem = people.pem();
  server_options.clients = ClientAuthentication::Optional;
  EXPECT_EQ(outcome("site.example"), both_ok);
  EXPECT_EQ(subject, "");
  client_options.cert_pem = alice.cert;
  client_options.key_pem = alice.key;
  slot->session.reset();
  EXPECT_EQ(outcome("site.example"), both_ok);
  EXPECT_EQ(subject, "CN=alice");
  EXPECT_EQ(again("site.example"), both_resumed);
  EXPECT_EQ(subject, "CN=alice");

  slot->session.reset();
  client_options.cert_pem = mallory.cert;
  client_options.key_pem = mallory.key;
  EXPECT_EQ(outcome("site.example").first, HandshakeEnd::BadCertificate);

  // A revoked one, also with a session from before.
  client_options.cert_pem = alice.cert;
  client_options.key_pem = alice.key;
  server_options.clients = ClientAuthentication::Required;
  EXPECT_EQ(outcome("site.example"), both_ok);
  server_options.revocations_pem = people.revoke(alice.cert);
  EXPECT_EQ(again("site.example").first, HandshakeEnd::BadCertificate);
}

TEST_F(TlsStream, TellsTheAlertThatWentEitherWay) {
  EXPECT_EQ(outcome("site.example"), both_ok);
  EXPECT_FALSE(server_alert.has_value());
  EXPECT_FALSE(client_alert.has_value()) << "a farewell is no failure";
  // Ours: the client has shown nothing.
  server_options.authorities_pem = authority.pem();
  server_options.clients = ClientAuthentication::Required;
  slot->session.reset();
  EXPECT_EQ(outcome("site.example").first, HandshakeEnd::NoCertificate);
  ASSERT_TRUE(server_alert.has_value());
  EXPECT_FALSE(server_alert->by_peer);
  EXPECT_EQ(alert_name(server_alert->number), "certificate_required");
  // The client's: it does not trust our name.
  server_options.clients = ClientAuthentication::Off;
  EXPECT_EQ(outcome("other.example").second, HandshakeEnd::BadCertificate);
  ASSERT_TRUE(client_alert.has_value());
  EXPECT_FALSE(client_alert->by_peer);
  ASSERT_TRUE(server_alert.has_value());
  EXPECT_TRUE(server_alert->by_peer);
  EXPECT_EQ(server_alert->number, client_alert->number);
  EXPECT_EQ(alert_name(255), "unknown");
}

TEST_F(TlsStream, CertificatesAreChosenByName) {
  const auto add = [&](const std::string& subject_name, const std::string& dns) {
    server_options.certificates.push_back(
        certificate_of(authority.make({.subject = subject_name, .names = {"DNS:" + dns}})));
  };
  add("wild", "*.shop.example");
  add("exact", "www.shop.example");
  EXPECT_EQ(outcome("api.shop.example"), both_ok);
  EXPECT_EQ(shown, "CN=wild");
  EXPECT_EQ(outcome("www.shop.example"), both_ok);
  EXPECT_EQ(shown, "CN=exact");
  EXPECT_EQ(outcome("site.example"), both_ok);
  EXPECT_EQ(shown, "CN=site");
  // The default has another name: the client, not we, says no.
  EXPECT_EQ(outcome("unknown.example"), (Outcome{HandshakeEnd::RefusedByPeer, HandshakeEnd::BadCertificate}));
  EXPECT_EQ(failure, "the certificate is not trusted: hostname mismatch");
  server_options.strict_sni = true;
  EXPECT_EQ(outcome("unknown.example"), (Outcome{HandshakeEnd::UnknownName, HandshakeEnd::RefusedByPeer}));
  EXPECT_EQ(outcome("127.0.0.1").first, HandshakeEnd::UnknownName);  // an address is not named
  EXPECT_EQ(outcome("site.example"), both_ok);
}

// While the certificate of a name is on its way, others are shown theirs or the first.
TEST_F(TlsStream, NamesToComeAreRefused) {
  server_options.names_to_come = {"soon.example"};
  EXPECT_EQ(outcome("Soon.Example"), (Outcome{HandshakeEnd::UnknownName, HandshakeEnd::RefusedByPeer}));
  EXPECT_EQ(outcome("site.example"), both_ok);
  client_options.verification = Verification::None;
  EXPECT_EQ(outcome("other.example"), both_ok);
  server_options.names_to_come.clear();
  EXPECT_EQ(outcome("soon.example"), both_ok);
}

TEST_F(TlsStream, TargetsAreVerified) {
  EXPECT_EQ(outcome("127.0.0.1"), both_ok);
  EXPECT_EQ(outcome("127.0.0.2").second, HandshakeEnd::BadCertificate);
  EXPECT_EQ(failure, "the certificate is not trusted: IP address mismatch");
  client_options.authorities = *shared_authorities(TestAuthority("Other").pem());
  EXPECT_EQ(outcome("site.example").second, HandshakeEnd::BadCertificate);
  EXPECT_THAT(failure, HasSubstr("unable to get local issuer certificate"));
  client_options.verification = Verification::None;
  EXPECT_EQ(outcome("whatever.example"), both_ok);
}

// A session from when nothing was verified, or for another name, is no proof.
TEST_F(TlsStream, SessionsAreOfOneContextAndName) {
  client_options.verification = Verification::None;
  EXPECT_EQ(outcome("site.example"), both_ok);
  client_options.verification = Verification::Full;
  client_options.authorities = *shared_authorities(TestAuthority("Other").pem());
  EXPECT_EQ(outcome("site.example").second, HandshakeEnd::BadCertificate);
  client_options.authorities = *shared_authorities(authority.pem());
  EXPECT_EQ(outcome("site.example"), both_ok);
  EXPECT_EQ(again("other.example").second, HandshakeEnd::BadCertificate);
}

TEST_F(TlsStream, ExpiredTargetsAreRefused) {
  server_options.certificates = {
      certificate_of(authority.make({.names = {"DNS:site.example"}, .from_days = -9, .until_days = -2}))};
  EXPECT_EQ(outcome("site.example").second, HandshakeEnd::BadCertificate);
  EXPECT_THAT(failure, HasSubstr("certificate has expired"));
}

TEST_F(TlsStream, ProtocolsHaveToMeet) {
  server_options.alpn = {"http/1.1"};
  client_options.alpn = {"h2"};
  EXPECT_EQ(outcome("site.example").first, HandshakeEnd::NoSharedProtocol);
  client_options.alpn = {};
  EXPECT_EQ(outcome("site.example"), both_ok);
}

// What comes instead of a handshake.
class TlsGreeting : public TlsStream {
 protected:
  io::Task<void> greet(std::string bytes, bool hangs_up, HandshakeEnd& end) {
    auto [a, b] = plain_pair(*loop);
    const std::unique_ptr<Stream> server = Stream::server(server_context, std::move(a));
    if (!bytes.empty()) EXPECT_TRUE((co_await b.write(bytes, loop->after(5s))).has_value());
    if (hangs_up) b.close();
    end = co_await server->handshake(loop->after(50ms));
    server->close();
  }
  HandshakeEnd after(const std::string& bytes, bool hangs_up = false) {
    if (server_context == nullptr) make();
    HandshakeEnd end = HandshakeEnd::Ok;
    io::run_in(*loop, greet(bytes, hangs_up, end));
    return end;
  }
};

TEST_F(TlsGreeting, IsTold) {
  EXPECT_EQ(after("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HandshakeEnd::PlainHttp);
  EXPECT_EQ(after("SSH-2.0-OpenSSH_9.2\r\n"), HandshakeEnd::NotTls);
  EXPECT_EQ(after(std::string(64, '\0')), HandshakeEnd::NotTls);
  EXPECT_EQ(after(""), HandshakeEnd::Timeout);
  EXPECT_EQ(after("", true), HandshakeEnd::PeerGone);
  EXPECT_EQ(after("\x16\x03\x01", true), HandshakeEnd::PeerGone);
  EXPECT_EQ(after("\x16\x03\x01"), HandshakeEnd::Timeout);
}

// A hello cut and broken at every place ends the handshake and nothing else.
TEST_F(TlsGreeting, CutAndBrokenEverywhere) {
  make();
  std::string hello;
  {
    auto [a, b] = plain_pair(*loop);
    const auto client = Stream::client(client_context, std::move(a), {.name = "site.example", .slot = nullptr});
    io::run_in(*loop, [](Stream& stream, io::TcpStream& peer, std::string& out) -> io::Task<void> {
      co_await stream.handshake(stream.descriptor().loop().after(1ms));
      out.resize(4096);
      const io::Transfer got = peer.try_read(out.data(), out.size());
      out.resize(got.count);
    }(*client, b, hello));
  }
  ASSERT_GT(hello.size(), 200U);
  for (std::size_t size = 0; size < hello.size(); size += 3) {
    EXPECT_EQ(after(hello.substr(0, size), true), HandshakeEnd::PeerGone) << size;
  }
  for (std::size_t at = 0; at < hello.size(); at += 3) {
    std::string broken = hello;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    after(broken, true);
  }
}

io::Task<void> TlsStream::goes_on_where_the_kernel_refuses() {
  Ends ends = co_await connect();
  // Too little to ask for; and asked for, of a Unix socket, which no kernel does TLS on.
  CO_ASSERT(!ends.server->takes_moved(Stream::kernel_worth_bytes - 1));
  CO_ASSERT(kernel->refused() == 0);
  CO_ASSERT(!ends.server->takes_moved(Stream::kernel_worth_bytes));
  CO_ASSERT(kernel->refused() == 1);
  CO_ASSERT(!ends.server->takes_moved(UINT64_MAX));
  CO_ASSERT(!ends.client->takes_moved(UINT64_MAX));
  CO_ASSERT(kernel->refused() == 2);
  CO_ASSERT(kernel->taken_over() == 0);
  CO_ASSERT(!ends.server->kernel_sends() && !ends.server->wants_end() && ends.server->may_close());
  for (Stream* from : {ends.server.get(), ends.client.get()}) {
    Stream& to = from == ends.server.get() ? *ends.client : *ends.server;
    CO_ASSERT((co_await from->write("still here", loop->after(5s))).has_value());
    std::array<char, 10> got;
    CO_ASSERT((co_await to.read(got.data(), got.size(), loop->after(5s))).value() == 10);
    CO_ASSERT(Bytes(got.data(), got.size()) == "still here");
  }
  ends.server->close();
  char byte = 0;
  CO_ASSERT((co_await ends.client->read(&byte, 1, loop->after(5s))).value() == 0);
}

TEST_F(TlsStream, GoesOnWhereTheKernelRefuses) {
  server_options.kernel = client_options.kernel = kernel;
  run(&TlsStream::goes_on_where_the_kernel_refuses);
}

}  // namespace
}  // namespace ballast::tls

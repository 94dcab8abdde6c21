#include "wire/tls/kernel_sending.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "wire/tls/server_context.h"
#include "wire/tls/test_authority.h"

namespace ballast::tls {
namespace {

using namespace std::chrono_literals;

std::string record(char type, std::string_view nonce, std::size_t body) {
  const std::size_t size = nonce.size() + body;
  return std::string{type, 3, 3, static_cast<char>(size >> 8U), static_cast<char>(size)} + std::string(nonce) +
         std::string(body, 'x');
}

std::string text(const std::optional<std::array<unsigned char, 8>>& nonce) {
  return nonce.has_value() ? std::string(nonce->begin(), nonce->end()) : "none";
}

TEST(ShownNonce, IsTheOneBehindThatOfTheLastRecordWhereverTheBytesAreCut) {
  const std::string sent = record(22, "abcdefgh", 400) + record(20, "", 1) + record(23, "12345678", 0x1234) +
                           record(23, std::string("nonce\x00\xff\xff", 8), 24);
  for (std::size_t cut = 0; cut <= sent.size(); cut += cut < 40 || cut + 60 > sent.size() ? 1 : 97) {
    ShownNonce shown;
    shown.see(Bytes(sent).substr(0, cut));
    if (cut > 0 && cut < 413) EXPECT_EQ(text(shown.next()), "none") << cut;
    shown.see(Bytes(sent).substr(cut));
    EXPECT_EQ(text(shown.next()), std::string("nonce\x01\x00\x00", 8)) << cut;
  }
  ShownNonce each;
  for (const char byte : sent) each.see(Bytes(&byte, 1));
  EXPECT_EQ(text(each.next()), std::string("nonce\x01\x00\x00", 8));
}

TEST(ShownNonce, IsNotKnownBehindARecordThatShowsNone) {
  ShownNonce shown;
  EXPECT_EQ(text(shown.next()), "none");
  shown.see(record(23, "12345678", 16));
  EXPECT_EQ(text(shown.next()), "12345679");
  shown.see(record(20, "", 1));
  EXPECT_EQ(text(shown.next()), "none");
}

// What a kernel would do with a key: one record of data, written by itself to the peer below its library.
struct Sealed {
  std::string record;
  bool done = false;
};

Sealed seal(const io::TlsSendingKey& key, std::string_view data) {
  const bool is_13 = key.version == io::TlsVersion::Tls13;
  const bool is_chacha = key.cipher == io::TlsCipher::ChaCha20Poly1305;
  std::string sequence(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) sequence[i] = static_cast<char>(key.sequence >> (56 - 8 * i));
  std::array<unsigned char, 12> nonce = key.iv;
  if (is_13 || is_chacha) {
    for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= static_cast<unsigned char>(sequence[i]);
  }
  std::string plain(data);
  if (is_13) plain += static_cast<char>(SSL3_RT_APPLICATION_DATA);
  std::string shown;
  if (!is_13 && !is_chacha) shown.assign(nonce.begin() + 4, nonce.end());
  const auto head = [](std::size_t size) {
    return std::string{23, 3, 3, static_cast<char>(size >> 8U), static_cast<char>(size)};
  };
  const std::string around = is_13 ? head(plain.size() + 16) : sequence + head(plain.size());
  const EVP_CIPHER* cipher = is_chacha                                ? EVP_chacha20_poly1305()
                             : key.cipher == io::TlsCipher::Aes128Gcm ? EVP_aes_128_gcm()
                                                                      : EVP_aes_256_gcm();
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  std::string out(plain.size(), '\0');
  std::string tag(16, '\0');
  int size = 0;
  const auto* in = reinterpret_cast<const unsigned char*>(plain.data());
  auto* into = reinterpret_cast<unsigned char*>(out.data());
  Sealed sealed;
  sealed.done = EVP_EncryptInit_ex(context, cipher, nullptr, key.key.data(), nonce.data()) == 1 &&
                EVP_EncryptUpdate(context, nullptr, &size, reinterpret_cast<const unsigned char*>(around.data()),
                                  static_cast<int>(around.size())) == 1 &&
                EVP_EncryptUpdate(context, into, &size, in, static_cast<int>(plain.size())) == 1 &&
                EVP_EncryptFinal_ex(context, into, &size) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1;
  EVP_CIPHER_CTX_free(context);
  sealed.record = head(shown.size() + out.size() + tag.size()) + shown + out + tag;
  return sealed;
}

// Two of the library's connections, joined through memory; what one writes is offered to a KernelSending.
struct Side {
  SSL* connection = nullptr;
  BIO* in = nullptr;
  BIO* out = nullptr;
  KernelSending sending{nullptr};

  static Side& of(const SSL* connection) { return *static_cast<Side*>(SSL_get_app_data(connection)); }
  static void message(int is_written, int, int type, const void* bytes, std::size_t size, SSL*, void* side) {
    static_cast<Side*>(side)->sending.take_message(is_written, type, {static_cast<const char*>(bytes), size});
  }
  void begin(SSL_CTX* context) {
    SSL_CTX_set_keylog_callback(
        context, [](const SSL* of_line, const char* line) { of(of_line).sending.take_secret(of_line, line); });
    connection = SSL_new(context);
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    SSL_set_bio(connection, in, out);
    SSL_set_app_data(connection, this);
    SSL_set_msg_callback(connection, message);
    SSL_set_msg_callback_arg(connection, this);
  }
  // What it has written since.
  std::string take() {
    std::string bytes(BIO_ctrl_pending(out), '\0');
    if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    sending.see_sent(bytes);
    return bytes;
  }
  void give(std::string_view bytes) {
    if (!bytes.empty()) BIO_write(in, bytes.data(), static_cast<int>(bytes.size()));
  }
  void write(std::string_view data) { SSL_write(connection, data.data(), static_cast<int>(data.size())); }
  // What comes, and nothing where it is no record of the other side's.
  std::string read() {
    std::string data(1000, '\0');
    const int got = SSL_read(connection, data.data(), static_cast<int>(data.size()));
    data.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return data;
  }
  ~Side() { SSL_free(connection); }
};

struct Way {
  const char* name;
  int version;
  const char* cipher;
};
constexpr Way ways[]{
    {"13-128", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
    {"13-256", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
    {"13-chacha", TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
    {"12-128", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"12-256", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"12-chacha", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
};

struct KernelSendingTest : testing::TestWithParam<Way> {
  void SetUp() override {
    const auto certificate = certificate_of(authority.make({.names = {"DNS:site.example"}}));
    server_options.certificates = {certificate};
    const auto ring = std::make_shared<TicketKeyRing>();
    ring->set(rotated({}, std::chrono::system_clock::now()));
    server_options.ticket_keys = ring;
    auto made = ServerContext::make(server_options);
    ASSERT_TRUE(made.has_value());
    server_context = *made;
    client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_ciphersuites(client_context, GetParam().version == TLS1_3_VERSION ? GetParam().cipher : "");
    if (GetParam().version == TLS1_2_VERSION) SSL_CTX_set_cipher_list(client_context, GetParam().cipher);
    SSL_CTX_set_max_proto_version(client_context, GetParam().version);
    server.begin(server_context->get());
    client.begin(client_context);
    SSL_set_accept_state(server.connection);
    SSL_set_connect_state(client.connection);
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client.connection);
      server.give(client.take());
      SSL_do_handshake(server.connection);
      client.give(server.take());
    }
    ASSERT_EQ(SSL_is_init_finished(server.connection), 1);
    ASSERT_EQ(SSL_is_init_finished(client.connection), 1);
    ASSERT_STREQ(SSL_get_cipher_name(server.connection), GetParam().cipher);
  }
  ~KernelSendingTest() override { SSL_CTX_free(client_context); }

  // The peer reads what was sealed with what is told of the next record, changed by `spoil`.
  std::string what_peer_reads(Side& from, Side& to, const std::function<void(io::TlsSendingKey&)>& spoil = nullptr) {
    std::optional<io::TlsSendingKey> key = from.sending.next_key(from.connection);
    if (!key.has_value()) return "no key";
    if (spoil) spoil(*key);
    const Sealed sealed = seal(*key, "by the kernel");
    EXPECT_TRUE(sealed.done);
    to.give(sealed.record);
    return to.read();
  }

  TestAuthority authority{"ca"};
  ServerOptions server_options{.identity = "web"};
  std::shared_ptr<const ServerContext> server_context;
  SSL_CTX* client_context = nullptr;
  Side server;
  Side client;
};

TEST_P(KernelSendingTest, GoesOnBehindTheHandshakeOnBothSides) {
  EXPECT_EQ(what_peer_reads(client, server), "by the kernel");
  EXPECT_EQ(what_peer_reads(server, client), "by the kernel");
}

TEST_P(KernelSendingTest, GoesOnBehindRecordsThatTheLibrarySent) {
  for (int i = 0; i < 3; ++i) {
    server.write("by the library");
    client.give(server.take());
    EXPECT_EQ(client.read(), "by the library");
  }
  EXPECT_EQ(what_peer_reads(server, client), "by the kernel");
}

TEST_P(KernelSendingTest, IsNotReadWithAnotherNumberOrNonce) {
  EXPECT_EQ(what_peer_reads(server, client, [](io::TlsSendingKey& key) { ++key.sequence; }), "");
  EXPECT_EQ(what_peer_reads(client, server, [](io::TlsSendingKey& key) { key.iv[3] ^= 1; }), "");
}

TEST_P(KernelSendingTest, KnowsTheKeysBehindAnUpdate) {
  if (GetParam().version != TLS1_3_VERSION) return;
  for (int i = 0; i < 3; ++i) {
    server.write("under the old key");
    ASSERT_EQ(SSL_key_update(server.connection, SSL_KEY_UPDATE_REQUESTED), 1);
    server.write("under the next");
    client.give(server.take());
    EXPECT_EQ(client.read(), "under the old key");
    EXPECT_EQ(client.read(), "under the next");
  }
  client.write("and the other side's");
  server.give(client.take());
  EXPECT_EQ(server.read(), "and the other side's");
  EXPECT_EQ(what_peer_reads(server, client), "by the kernel");
  EXPECT_EQ(what_peer_reads(client, server), "by the kernel");
}

TEST_P(KernelSendingTest, GoesOnInASessionThatWasResumed) {
  if (GetParam().version != TLS1_2_VERSION) return;
  // The secret of TLS 1.2 is the session's; the randoms are each connection's own.
  SSL_SESSION* session = SSL_get1_session(client.connection);
  Side second_server;
  Side second_client;
  second_server.begin(server_context->get());
  second_client.begin(client_context);
  SSL_set_accept_state(second_server.connection);
  SSL_set_connect_state(second_client.connection);
  SSL_set_session(second_client.connection, session);
  for (int i = 0; i < 10; ++i) {
    SSL_do_handshake(second_client.connection);
    second_server.give(second_client.take());
    SSL_do_handshake(second_server.connection);
    second_client.give(second_server.take());
  }
  EXPECT_EQ(SSL_session_reused(second_server.connection), 1);
  EXPECT_EQ(what_peer_reads(second_client, second_server), "by the kernel");
  EXPECT_EQ(what_peer_reads(second_server, second_client), "by the kernel");
  SSL_SESSION_free(session);
}

INSTANTIATE_TEST_SUITE_P(Ways, KernelSendingTest, testing::ValuesIn(ways), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace ballast::tls

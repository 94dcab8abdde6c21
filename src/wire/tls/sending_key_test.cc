#include "wire/tls/sending_key.h"

#include <string>

#include <gmock/gmock.h>
#include <openssl/ssl.h>

namespace ballast::tls {
namespace {

using testing::ElementsAreArray;

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

template <typename Range>
std::string hex_of(const Range& bytes, std::size_t size) {
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 15U];
  }
  return hex;
}

TrafficSecret secret_of(std::string_view hex) {
  const std::string bytes = bytes_of(hex);
  TrafficSecret secret{.size = static_cast<std::uint8_t>(bytes.size())};
  std::copy(bytes.begin(), bytes.end(), secret.bytes.begin());
  return secret;
}

struct Ciphers : testing::Test {
  const SSL_CIPHER* find(const char* name) {
    SSL_set_ciphersuites(connection, name);
    return SSL_CIPHER_find(connection, std::string_view(name) == "TLS_AES_128_GCM_SHA256"   ? id_128
                                       : std::string_view(name) == "TLS_AES_256_GCM_SHA384" ? id_256
                                                                                            : id_chacha);
  }
  ~Ciphers() override {
    SSL_free(connection);
    SSL_CTX_free(context);
  }
  const unsigned char id_128[2]{0x13, 0x01};
  const unsigned char id_256[2]{0x13, 0x02};
  const unsigned char id_chacha[2]{0x13, 0x03};
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  SSL* connection = SSL_new(context);
};

// RFC 8448 3, "Simple 1-RTT Handshake".
struct Traced {
  const char* secret;
  const char* key;
  const char* iv;
};
constexpr Traced traced[]{
    // "{server} derive write traffic keys for application data"
    {"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643", "9f02283b6c9c07efc26bb9f2ac92e356",
     "cf782b88dd83549aadf1e984"},
    // "{client} derive write traffic keys for application data"
    {"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", "17422dda596ed5d9acd890e3c63f5051",
     "5b78923dee08579033e523d9"},
    // "{server} derive write traffic keys for handshake data"
    {"b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", "3fce516009c21727d0f2e4e86ee403bc",
     "5d313eb2671276ee13000b30"},
};

TEST_F(Ciphers, AreKeyedAsTheTracesOfTheStandardAre) {
  for (const Traced& each : traced) {
    const auto made = sending_key(find("TLS_AES_128_GCM_SHA256"), secret_of(each.secret));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->version, io::TlsVersion::Tls13);
    EXPECT_EQ(made->cipher, io::TlsCipher::Aes128Gcm);
    EXPECT_EQ(hex_of(made->key, 16), each.key);
    EXPECT_EQ(hex_of(made->iv, 12), each.iv);
    EXPECT_EQ(made->sequence, 0U);
  }
}

TEST_F(Ciphers, DecideHowLongTheKeyIs) {
  const auto aes = sending_key(find("TLS_AES_256_GCM_SHA384"), secret_of(std::string(96, '7')));
  ASSERT_TRUE(aes.has_value());
  EXPECT_EQ(aes->cipher, io::TlsCipher::Aes256Gcm);
  EXPECT_NE(hex_of(aes->key, 32).substr(32), std::string(32, '0'));
  const auto chacha = sending_key(find("TLS_CHACHA20_POLY1305_SHA256"), secret_of(traced[0].secret));
  ASSERT_TRUE(chacha.has_value());
  EXPECT_EQ(chacha->cipher, io::TlsCipher::ChaCha20Poly1305);
  EXPECT_NE(hex_of(chacha->key, 32).substr(32), std::string(32, '0'));
  EXPECT_EQ(hex_of(chacha->iv, 12), traced[0].iv);
}

TEST_F(Ciphers, AreNotKeyedWithoutASecret) {
  EXPECT_FALSE(sending_key(find("TLS_AES_128_GCM_SHA256"), TrafficSecret{}).has_value());
  EXPECT_FALSE(sending_key(nullptr, secret_of(traced[0].secret)).has_value());
}

}  // namespace
}  // namespace ballast::tls

#include "wire/proxy_protocol/header.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/address.h"

namespace ballast::proxy_protocol {
namespace {

std::string text_of(const Endpoint& endpoint) {
  return io::Peer{endpoint.bytes, endpoint.port}.host() + " " + std::to_string(endpoint.port);
}

std::string in_words(Bytes bytes) {
  Header header;
  const Outcome outcome = parse(bytes, header);
  if (outcome.progress == Progress::NeedMore) return "need more";
  if (outcome.progress == Progress::Failed) return std::string(to_string(outcome.defect));
  std::string words = header.version == Version::V1 ? "v1 " : "v2 ";
  if (header.origin == Origin::Local) words += "local";
  if (header.origin == Origin::Unknown) words += "unknown";
  if (header.origin == Origin::Told) words += text_of(header.source) + " > " + text_of(header.destination);
  if (header.transport == Transport::Datagram) words += " udp";
  if (!header.authority.empty()) words += " authority=" + std::string(header.authority);
  if (!header.alpn.empty()) words += " alpn=" + std::string(header.alpn);
  if (!header.unique_id.empty()) words += " id=" + std::string(header.unique_id);
  if (header.ssl.has_value()) {
    const Ssl& ssl = *header.ssl;
    words += " ssl";
    if (ssl.over_tls) words += " tls";
    if (ssl.certificate_on_connection) words += " certificate";
    if (ssl.verified) words += " verified";
    words += " " + std::string(ssl.version) + " " + std::string(ssl.common_name);
  }
  return words + " +" + std::to_string(bytes.size() - header.size);
}

// Every beginning, as a copy of its own size, gives "need more" or what the whole gives.
void expect(Bytes bytes, const std::string& wanted) {
  const std::string whole = in_words(bytes);
  EXPECT_EQ(whole, wanted) << testing::PrintToString(std::string(bytes));
  Header header;
  const bool complete = parse(bytes, header).progress == Progress::Complete;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::unique_ptr<char[]> copy(new char[size]);
    bytes.copy(copy.get(), size);
    const std::string cut = in_words({copy.get(), size});
    if (complete && size >= header.size) {
      EXPECT_EQ(cut.substr(0, cut.rfind('+')), whole.substr(0, whole.rfind('+'))) << size;
    } else if (cut != "need more") {
      EXPECT_FALSE(complete) << "the first " << size << " bytes of " << bytes << ": " << cut;
      EXPECT_EQ(cut, whole) << size;
    }
  }
}

TEST(ProxyHeader, VersionOne) {
  struct Case {
    std::string line;
    std::string wanted;
  };
  const std::string x(200, 'x');
  for (const Case& each : std::vector<Case>{
           {"PROXY TCP4 192.168.0.1 10.0.0.2 56324 443\r\nGET /", "v1 192.168.0.1 56324 > 10.0.0.2 443 +5"},
           {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            "v1 255.255.255.255 65535 > 255.255.255.255 65535 +0"},
           {"PROXY TCP6 2001:db8::1 ::1 0 1\r\n", "v1 2001:db8::1 0 > ::1 1 +0"},
           {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
            "65535\r\n",
            "v1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 > ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 +0"},
           {"PROXY UNKNOWN\r\n", "v1 unknown +0"},
           {"PROXY UNKNOWN ffff:f...f:ffff what ever\r\nx", "v1 unknown +1"},
           // 107 bytes with the end of line, and one more
           {"PROXY UNKNOWN " + x.substr(0, 91) + "\r\n", "v1 unknown +0"},
           {"PROXY UNKNOWN " + x.substr(0, 92) + "\r\n", "line_too_long"},
           {"PROXY " + x, "line_too_long"},
           {"", "need more"},
           {"PROXY", "need more"},
           {"PROXY TCP4 1.2.3.4 ", "need more"},
           {"GET / HTTP/1.1\r\n", "not_proxy"},
           {"PRO XY", "not_proxy"},
           {"proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "not_proxy"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 1 -1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4.5 1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY TCP4 ::1 ::1 1 1\r\n", "bad_line"},
           {"PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n", "bad_line"},
           {"PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY UNKNOWNX\r\n", "bad_line"},
           {"PROXY \r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4\t1.2.3.4 1 1\r\n", "bad_line"},
           {"PROXY TCP4 1.2.3.4 1.2.3.4 1 \xff\r\n", "bad_line"},
       }) {
    expect(each.line, each.wanted);
  }
}

const std::string magic("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string v4_addresses("\x01\x02\x03\x04\x0a\x00\x00\x02\x30\x39\x01\xbb", 12);
const std::string v6_addresses = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                                 std::string(15, '\0') + "\x02" + std::string("\x00\x50\x01\xbb", 4);

// A header of version 2: its two bytes behind the signature, and its body with the right length.
std::string v2(int command, int family, const std::string& body) {
  return magic + static_cast<char>(command) + static_cast<char>(family) + static_cast<char>(body.size() >> 8) +
         static_cast<char>(body.size() & 255) + body;
}
std::string tlv(int type, const std::string& value) {
  return std::string{static_cast<char>(type), static_cast<char>(value.size() >> 8),
                     static_cast<char>(value.size() & 255)} +
         value;
}

TEST(ProxyHeader, VersionTwo) {
  struct Case {
    std::string bytes;
    std::string wanted;
  };
  const std::string ssl = std::string("\x07\0\0\0\0", 5) + tlv(0x21, "TLSv1.3") + tlv(0x22, "someone") +
                          tlv(0x23, "AES") + tlv(0x24, "SHA256");
  const std::string large(header_bytes_max, 'x');
  for (const Case& each : std::vector<Case>{
           {v2(0x21, 0x11, v4_addresses) + "hello", "v2 1.2.3.4 12345 > 10.0.0.2 443 +5"},
           {v2(0x21, 0x12, v4_addresses), "v2 1.2.3.4 12345 > 10.0.0.2 443 udp +0"},
           {v2(0x21, 0x21, v6_addresses), "v2 2001:db8::1 80 > ::2 443 +0"},
           {v2(0x21, 0x31, std::string(216, 'p')), "v2 unknown +0"},
           {v2(0x21, 0x00, ""), "v2 unknown +0"},
           {v2(0x21, 0x00, tlv(0x02, "a.test")), "v2 unknown authority=a.test +0"},
           {v2(0x20, 0x00, "") + "x", "v2 local +1"},
           // Whatever stands in LOCAL is to be passed over.
           {v2(0x20, 0x11, v4_addresses), "v2 local +0"},
           {v2(0x20, 0x77, "what"), "v2 local +0"},
           {v2(0x21, 0x11,
               v4_addresses + tlv(0x01, "h2") + tlv(0x02, "a.test") + tlv(0x05, "id-1") + tlv(0x04, "") +
                   tlv(0xEA, "aws") + tlv(0x04, "zz")),
            "v2 1.2.3.4 12345 > 10.0.0.2 443 authority=a.test alpn=h2 id=id-1 +0"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x20, ssl)),
            "v2 1.2.3.4 12345 > 10.0.0.2 443 ssl tls certificate verified TLSv1.3 someone +0"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x20, std::string("\x01\0\0\0\1", 5))),
            "v2 1.2.3.4 12345 > 10.0.0.2 443 ssl tls   +0"},
           {v2(0x21, 0x11, v4_addresses + tlv(0xE0, large.substr(0, header_bytes_max - 16 - 12 - 3))),
            "v2 1.2.3.4 12345 > 10.0.0.2 443 +0"},
           {magic + "\x21", "need more"},
           {v2(0x21, 0x11, v4_addresses).substr(0, 27), "need more"},
           {magic.substr(0, 11) + "\r", "not_proxy"},
           {"\r\nGET", "not_proxy"},
           {v2(0x11, 0x11, v4_addresses), "bad_version"},
           {v2(0x22, 0x11, v4_addresses), "bad_version"},
           {v2(0x2F, 0x11, v4_addresses), "bad_version"},
           {v2(0x21, 0x10, v4_addresses), "bad_family"},
           {v2(0x21, 0x01, v4_addresses), "bad_family"},
           {v2(0x21, 0x41, v4_addresses), "bad_family"},
           {v2(0x21, 0x11, v4_addresses.substr(0, 11)), "bad_length"},
           {v2(0x21, 0x21, v4_addresses), "bad_length"},
           {v2(0x21, 0x31, std::string(215, 'p')), "bad_length"},
           {v2(0x21, 0x11, v4_addresses + tlv(0xE0, large)), "too_large"},
           {v2(0x20, 0x00, large), "too_large"},
           {v2(0x21, 0x11, v4_addresses + "\x02"), "bad_field"},
           {v2(0x21, 0x11, v4_addresses + std::string("\x02\0\5four", 7)), "bad_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x05, std::string(129, 'i'))), "bad_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x03, "abc")), "bad_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x20, "abcd")), "bad_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x20, std::string("\0\0\0\0\0\x21\0\x09x", 9))), "bad_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x02, "a") + tlv(0x02, "b")), "repeated_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x02, "") + tlv(0x02, "")), "repeated_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x20, ssl) + tlv(0x20, ssl)), "repeated_field"},
           {v2(0x21, 0x11, v4_addresses + tlv(0x03, "abcd")), "bad_checksum"},
       }) {
    expect(each.bytes, each.wanted);
  }
}

// The check value of the polynomial, and those of RFC 3720 B.4.
TEST(ProxyHeader, Crc32c) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("456789", crc32c("123")), 0xE3069283U);
}

Endpoint endpoint(const char* host, std::uint16_t port) {
  return {io::SocketAddress::numeric(host, port)->bytes(), port};
}

TEST(ProxyHeader, WrittenIsReadBack) {
  struct Case {
    Version version;
    Outgoing what;
    std::string wanted;
  };
  const Endpoint v4 = endpoint("10.0.0.7", 5000);
  const Endpoint other_v4 = endpoint("10.0.0.1", 443);
  const Endpoint v6 = endpoint("2001:db8::7", 5000);
  for (const Case& each : std::vector<Case>{
           {Version::V1, {.source = v4, .destination = other_v4}, "v1 10.0.0.7 5000 > 10.0.0.1 443 +0"},
           {Version::V1, {.source = v6, .destination = endpoint("::1", 1)}, "v1 2001:db8::7 5000 > ::1 1 +0"},
           {Version::V1, {.source = v6, .destination = v4}, "v1 unknown +0"},
           {Version::V1, {}, "v1 unknown +0"},
           {Version::V1, {.source = v4, .destination = v4, .transport = Transport::Datagram}, "v1 unknown +0"},
           {Version::V2, {.source = v4, .destination = other_v4}, "v2 10.0.0.7 5000 > 10.0.0.1 443 +0"},
           {Version::V2, {.source = v6, .destination = v4}, "v2 2001:db8::7 5000 > 10.0.0.7 5000 +0"},
           {Version::V2,
            {.source = v6, .destination = v6, .transport = Transport::Datagram},
            "v2 2001:db8::7 5000 > 2001:db8::7 5000 udp +0"},
           {Version::V2,
            {.source = v4, .destination = other_v4, .authority = "a.test", .unique_id = "7"},
            "v2 10.0.0.7 5000 > 10.0.0.1 443 authority=a.test id=7 +0"},
           {Version::V2, {}, "v2 local +0"},
       }) {
    Buffer out;
    write(out, each.version, each.what);
    expect(out.view(), each.wanted);
    if (each.version == Version::V1 || !each.what.source.has_value()) continue;
    // One bit that is not what was written is noticed.
    std::string bytes(out.view());
    bytes[20] = static_cast<char>(bytes[20] ^ 1);
    EXPECT_EQ(in_words(bytes), "bad_checksum");
  }
}

}  // namespace
}  // namespace ballast::proxy_protocol

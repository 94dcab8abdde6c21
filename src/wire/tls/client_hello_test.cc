#include "wire/tls/client_hello.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::tls {
namespace {

using Progress = ClientHelloReader::Progress;

std::string number(std::size_t value, int size) {
  std::string text;
  for (int i = size - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 255U);
  return text;
}
std::string vector(const std::string& content, int size) {
  return number(content.size(), size) + content;
}
std::string extension(std::size_t type, const std::string& value) {
  return number(type, 2) + vector(value, 2);
}
std::string sni(const std::string& name) {
  return extension(0, vector(std::string(1, '\0') + vector(name, 2), 2));
}
std::string alpn(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += vector(name, 1);
  return extension(16, vector(list, 2));
}

const std::string version_and_random = "\x03\x03" + std::string(32, 'r');
std::string hello_of(const std::string& body) {
  return std::string(1, '\1') + vector(body, 3);
}
std::string hello(const std::string& extensions) {
  return hello_of(version_and_random + vector(std::string(32, 's'), 1) + vector("\x13\x01\xc0\x2f", 2) +
                  vector(std::string(1, '\0'), 1) + vector(extensions, 2));
}
// In records of at most `piece` bytes.
std::string records(const std::string& message, std::size_t piece = 16384) {
  std::string bytes;
  for (std::size_t at = 0; at < message.size(); at += piece) {
    bytes += "\x16\x03\x01" + vector(message.substr(at, piece), 2);
  }
  return bytes;
}

std::string in_words(const ClientHelloReader& reader, Progress progress) {
  if (progress == Progress::NeedMore) return "need more";
  if (progress == Progress::Failed) return std::string(to_string(reader.defect()));
  std::string words = "hello " + std::string(reader.hello().server_name);
  for (const Bytes name : reader.hello().alpn) words += " " + std::string(name);
  return words;
}

// Fed in pieces of that size, each a copy of its own.
std::string fed(Bytes bytes, std::size_t piece) {
  ClientHelloReader reader;
  Progress progress = Progress::NeedMore;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::size_t size = std::min(piece, bytes.size() - at);
    const std::unique_ptr<char[]> copy(new char[size]);
    bytes.substr(at, size).copy(copy.get(), size);
    const Progress next = reader.feed({copy.get(), size});
    EXPECT_TRUE(progress == Progress::NeedMore || next == progress) << "it says the same again";
    progress = next;
  }
  return in_words(reader, progress);
}

void expect(const std::string& bytes, const std::string& wanted) {
  EXPECT_EQ(fed(bytes, bytes.size() + 1), wanted) << testing::PrintToString(bytes.substr(0, 200));
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U}) EXPECT_EQ(fed(bytes, piece), wanted) << piece;
  if (wanted == "need more") return;
  // In two pieces, cut at every place: the first says "need more", or what the whole says.
  for (std::size_t size = 0; size < bytes.size() && size < 1'000; ++size) {
    const std::string first = fed(bytes.substr(0, size), size + 1);
    EXPECT_TRUE(first == "need more" || first == wanted) << size << ": " << first;
  }
}

const std::string grease = extension(0x0a0a, "") + extension(0x1a1a, "x");

TEST(ClientHello, Names) {
  struct Case {
    std::string message;
    std::string wanted;
  };
  for (const Case& each : std::vector<Case>{
           {hello(sni("www.example.com")), "hello www.example.com"},
           {hello(grease + sni("A-1_b.Example.com") + alpn({"h2", "http/1.1"}) + extension(43, "\2\3\4")),
            "hello A-1_b.Example.com h2 http/1.1"},
           {hello(alpn({"\x3a\x3a", "acme-tls/1"}) + sni("x")), "hello x \x3a\x3a acme-tls/1"},
           {hello(sni("example.com.")), "hello example.com"},
           {hello(sni(std::string(253, 'a'))), "hello " + std::string(253, 'a')},
           {hello(grease), "hello "},
           {hello(""), "hello "},
           // An unknown kind of name beside the one that is known.
           {hello(extension(0, vector("\7" + vector("?", 2) + std::string(1, '\0') + vector("a.test", 2), 2))),
            "hello a.test"},
           // Of the time before extensions.
           {hello_of(version_and_random + vector("", 1) + vector("\x35\x36", 2) + vector(std::string(1, '\0'), 1)),
            "hello "},
           {hello(sni("")), "bad_server_name"},
           {hello(sni(std::string(254, 'a'))), "bad_server_name"},
           {hello(sni("a b")), "bad_server_name"},
           {hello(sni(std::string("a\0.test", 7))), "bad_server_name"},
           {hello(sni(".a")), "bad_server_name"},
           {hello(sni("a..b")), "bad_server_name"},
           {hello(sni("*.a")), "bad_server_name"},
           {hello(extension(0, "")), "bad_server_name"},
           {hello(extension(0, vector("", 2))), "bad_server_name"},
           {hello(extension(0, vector(std::string(1, '\0') + vector("a", 2), 2) + "x")), "bad_server_name"},
           {hello(extension(0, vector(std::string(1, '\0') + number(9, 2) + "a", 2))), "bad_server_name"},
           {hello(
                extension(0, vector(std::string(1, '\0') + vector("a", 2) + std::string(1, '\0') + vector("b", 2), 2))),
            "bad_server_name"},
           {hello(sni("a") + sni("a")), "bad_extension"},
           {hello(grease + grease), "bad_extension"},
           {hello("\1"), "bad_extension"},
           {hello(number(0, 2) + number(5, 2) + "four"), "bad_extension"},
           {hello(alpn({})), "bad_alpn"},
           {hello(alpn({""})), "bad_alpn"},
           {hello(extension(16, vector("\3ab", 2))), "bad_alpn"},
           {hello_of("\x03\x03" + std::string(31, 'r')), "bad_hello"},
           {hello_of("\x02\x03" + std::string(32, 'r') + vector("", 1) + vector("\1\2", 2) + vector("\1", 1)),
            "bad_hello"},
           {hello_of(version_and_random + vector(std::string(33, 's'), 1) + vector("\1\2", 2) + vector("\1", 1)),
            "bad_hello"},
           {hello_of(version_and_random + vector("", 1) + vector("", 2) + vector("\1", 1)), "bad_hello"},
           {hello_of(version_and_random + vector("", 1) + vector("\1\2\3", 2) + vector("\1", 1)), "bad_hello"},
           {hello_of(version_and_random + vector("", 1) + vector("\1\2", 2) + vector("", 1)), "bad_hello"},
           {hello_of(version_and_random + vector("", 1) + vector("\1\2", 2) + vector("\1", 1) + "x"), "bad_hello"},
           {hello_of(version_and_random + vector("", 1) + vector("\1\2", 2) + vector("\1", 1) + vector("", 2) + "x"),
            "bad_hello"},
           {"\2" + vector("server hello", 3), "not_hello"},
       }) {
    expect(records(each.message), each.wanted);
    // The same, with the message cut into records of every size it takes.
    if (each.message.size() > 400) continue;
    for (std::size_t piece = 1; piece <= each.message.size(); ++piece) {
      EXPECT_EQ(fed(records(each.message, piece), 10'000), each.wanted) << piece;
    }
  }
}

TEST(ClientHello, Records) {
  const std::string good = hello(sni("a.test"));
  const std::string large = hello(sni("a.test") + extension(0x1234, std::string(30'000, 'x')));
  struct Case {
    std::string bytes;
    std::string wanted;
  };
  for (const Case& each : std::vector<Case>{
           {records(good) + "and what comes behind it", "hello a.test"},
           {"\x16\x03\x03" + vector(good + "another message", 2), "hello a.test"},
           {records(large), "hello a.test"},
           {records(large, 1000), "hello a.test"},
           {"", "need more"},
           {"\x16\x03", "need more"},
           {records(good).substr(0, 60), "need more"},
           {"GET / HTTP/1.1\r\n", "not_tls"},
           {"SSH-2.0-OpenSSH_9.2\r\n", "not_tls"},
           {"\x80\x2e\x01\x03\x01", "not_tls"},  // of SSL 2
           {"\x15\x03\x01" + vector("\2\x28", 2), "not_tls"},
           {"\x16\x02\x01" + vector(good, 2), "not_tls"},
           {"\x16\x03\x01" + number(0, 2) + records(good), "bad_record"},
           {"\x16\x03\x01" + number(16385, 2), "bad_record"},
           {records(good.substr(0, 20)) + "\x17\x03\x03" + vector("x", 2), "not_hello"},
           {records(good.substr(0, 20)) + "\x16\x02\x03" + vector("x", 2), "not_hello"},
           {records("\1" + number(client_hello_bytes_max - 3, 3)), "too_large"},
           {records("\1" + number(16'000, 3) + std::string(16'000, 'x'), 1), "too_large"},
       }) {
    expect(each.bytes, each.wanted);
  }
}

TEST(ClientHello, AlertsAreRecords) {
  Buffer out;
  write_alert(out, Alert::UnrecognizedName);
  EXPECT_EQ(out.view(), Bytes("\x15\x03\x03\x00\x02\x02\x70", 7));
}

}  // namespace
}  // namespace ballast::tls

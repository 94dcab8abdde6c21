#include "wire/http/scan.h"

#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace ballast::http {
namespace {

// Every byte at every place of a run that is otherwise fine, of every length around the vector's width.
TEST(Scan, StopsAtEachByteThatCannotGoOn) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const std::unique_ptr<char[]> bytes(new char[size]);  // of that very size: a read behind it is seen
    const char* begin = bytes.get();
    const char* end = begin + size;
    std::fill_n(bytes.get(), size, 'a');
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        bytes[at] = static_cast<char>(byte);
        const char* query = nullptr;
        ASSERT_EQ(scan_name(begin, end), is_token_octet(bytes[at]) ? end : begin + at) << byte;
        ASSERT_EQ(scan_value(begin, end), is_value_octet(bytes[at]) ? end : begin + at) << byte;
        ASSERT_EQ(scan_target(begin, end, query), is_target_octet(bytes[at]) ? end : begin + at) << byte;
        ASSERT_EQ(query, byte == '?' ? begin + at : nullptr);
      }
      bytes[at] = 'a';
    }
  }
}

TEST(Scan, VectorAndScalarAgreeOnRandomBytes) {
  std::mt19937 random(1);
  const Bytes often = "aZ09-_?/: \t\r\n#~!%\x7f\x80";
  for (int round = 0; round < 200'000; ++round) {
    const std::size_t size = random() % 70;
    const std::unique_ptr<char[]> bytes(new char[size]);
    const unsigned odd = 1 + random() % 40;
    for (std::size_t i = 0; i < size; ++i) {
      if (random() % odd != 0) {
        bytes[i] = "abcxyzABC019-"[random() % 13];
      } else {
        bytes[i] = random() % 2 == 0 ? static_cast<char>(random()) : often[random() % often.size()];
      }
    }
    const char* begin = bytes.get();
    const char* end = begin + size;
    const char* query = nullptr;
    const char* scalar_query = nullptr;
    ASSERT_EQ(scan_name(begin, end), scan_name_scalar(begin, end));
    ASSERT_EQ(scan_value(begin, end), scan_value_scalar(begin, end));
    ASSERT_EQ(scan_target(begin, end, query), scan_target_scalar(begin, end, scalar_query));
    ASSERT_EQ(query, scalar_query);
  }
}

TEST(Octets, AreThoseOfTheGrammars) {
  for (int value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    const bool alphanumeric =
        (value >= '0' && value <= '9') || (value >= 'A' && value <= 'Z') || (value >= 'a' && value <= 'z');
    const bool named = value != 0;
    EXPECT_EQ(is_token_octet(byte), alphanumeric || (named && Bytes("!#$%&'*+-.^_`|~").contains(byte))) << value;
    EXPECT_EQ(is_value_octet(byte), value == '\t' || (value >= 0x20 && value != 0x7f)) << value;
    EXPECT_EQ(is_target_octet(byte), value > 0x20 && value < 0x7f && value != '#') << value;
    EXPECT_EQ(octet::is(byte, octet::reg_name), alphanumeric || (named && Bytes("-._~%!$&'()*+,;=").contains(byte)));
    EXPECT_EQ(is_hex_digit(byte),
              (value >= '0' && value <= '9') || (value >= 'A' && value <= 'F') || (value >= 'a' && value <= 'f'));
  }
}

}  // namespace
}  // namespace ballast::http

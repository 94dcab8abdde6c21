#include "wire/http/authority.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace ballast::http {
namespace {

AuthorityReading read(Bytes text) {
  return read_authority(text.data(), text.data() + text.size());
}

TEST(Authority, AcceptsNamesAddressesAndPorts) {
  const std::pair<const char*, bool> cases[] = {
      {"a", false},
      {"a:", false},
      {"a:0", true},
      {"a:80", true},
      {"a:65535", true},
      {"a:00080", true},
      {"www.example.com.", false},
      {"EXAMPLE_1-2~3", false},
      {"!$&'()*+,;=", false},
      {"%41%ff:1", true},
      {"127.0.0.1:8080", true},
      {"999.1", false},
      {"[::]", false},
      {"[::1]:1", true},
      {"[1::]", false},
      {"[1:2:3:4:5:6:7:8]", false},
      {"[1:2:3:4:5:6:7::]", false},
      {"[::2:3:4:5:6:7:8]", false},
      {"[1::3:4:5:6:7:8]", false},
      {"[FFFF:abcd::0001]:", false},
      {"[::1.2.3.4]", false},
      {"[::ffff:255.255.255.255]", false},
      {"[1:2:3:4:5:6:1.2.3.4]:5", true},
      {"[1::5:6:1.2.3.0]", false},
  };
  for (const auto& [text, has_port] : cases) {
    SCOPED_TRACE(text);
    const Bytes bytes = text;
    const AuthorityReading authority = read(bytes);
    EXPECT_TRUE(authority.reading.whole);
    EXPECT_EQ(authority.reading.at, bytes.data() + bytes.size());
    EXPECT_EQ(authority.has_port, has_port);
    // No beginning of it is an offence.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::unique_ptr<char[]> copy(new char[size]);
      bytes.copy(copy.get(), size);
      EXPECT_EQ(read_authority(copy.get(), copy.get() + size).reading.at, copy.get() + size) << size;
    }
  }
}

TEST(Authority, IsNotWholeYet) {
  for (const char* text : {"", "%", "%4", "a%", "[", "[:", "[::", "[::1", "[1:2", "[::1.2.3", "[::1.2.3.4", "[1:"}) {
    SCOPED_TRACE(text);
    const Bytes bytes = text;
    const Reading reading = read(bytes).reading;
    EXPECT_FALSE(reading.whole);
    EXPECT_EQ(reading.at, bytes.data() + bytes.size());
  }
}

// Read up to the offending byte, which the caller finds is not its end.
TEST(Authority, StopsAtTheOffendingByte) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ":80"},
      {"", "@"},
      {"a", "@b"},
      {"a", "/"},
      {"a", " b"},
      {"a%4", "g"},
      {"a%", "%41"},
      {"a:", "x"},
      {"a:80", "x"},
      {"a:6553", "6"},
      {"a:00000", "1"},
      {"[", "]"},
      {"[:", "]"},
      {"[::", ":"},
      {"[1", "]"},
      {"[1:", "]"},
      {"[1:2:3:4:5:6:7", "]"},
      {"[1:2:3:4:5:6:7:8", ":9]"},
      {"[1::2:3:4:5:6:7", ":8]"},
      {"[1::2:", ":3]"},
      {"[::1", "%25eth0]"},
      {"[::1]", "a"},
      {"[::1]", "]"},
      {"[::1.2.3.", "]"},
      {"[::1.2.3.25", "6]"},
      {"[::1.2.3.0", "1]"},
      {"[::1.2.3", "]"},
      {"[::1.2.3.4", ".5]"},
      {"[1", ".2.3.4]"},
      {"[::999", ".1.1.1]"},
      {"[1:2:3:4:5:6:7:8", ".1.1.1]"},
      {"[1::2:3:4:5:6:7", ".1.1.1]"},
  };
  for (const auto& [before, rest] : cases) {
    const std::string text = std::string(before) + rest;
    SCOPED_TRACE(text);
    EXPECT_EQ(read(text).reading.at - text.data(), static_cast<std::ptrdiff_t>(Bytes(before).size()));
  }
  EXPECT_EQ(read("[12345]").reading.whole, false);
  EXPECT_EQ(read("[g]").reading.whole, false);
  EXPECT_EQ(read("[v1.x]").reading.whole, false);
}

}  // namespace
}  // namespace ballast::http

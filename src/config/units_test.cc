#include "config/units.h"

#include <gtest/gtest.h>

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

template <typename T>
struct Case {
  std::string_view text;
  T value;
};

struct Refused {
  std::string_view text;
  std::string_view error;
};

TEST(Duration, IsTakenAndShownAgain) {
  const Case<Milliseconds> cases[] = {
      {"0s", 0ms}, {"500ms", 500ms}, {"5s", 5s}, {"2m", 2min}, {"1h", 1h}, {"1m30s", 90s}, {"1h1m1s1ms", 3661001ms},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(parse_duration(c.text)) << c.text;
    EXPECT_EQ(*parse_duration(c.text), c.value) << c.text;
    EXPECT_EQ(show_duration(c.value), c.text);
  }
  EXPECT_EQ(*parse_duration("0"), 0ms);
  EXPECT_EQ(show_duration(*parse_duration("90s")), "1m30s");
  EXPECT_EQ(*parse_duration("8784h"), 366 * 24h);
}

TEST(Duration, IsRefusedWithTheReason) {
  const Refused cases[] = {
      {"", "\"\" is not a duration"},
      {"s", "\"s\" is not a duration"},
      {"-5s", "\"-5s\" is not a duration"},
      {"5", "\"5\" has no unit; write 5s or 5ms"},
      {"5x", "\"5x\" has the unknown unit \"x\"; units are h, m, s and ms"},
      {"5 s", "\"5 s\" has the unknown unit \" s\"; units are h, m, s and ms"},
      {"1.5s", "\"1.5s\" has a fraction; write a whole number of a smaller unit"},
      {"1s1m", "\"1s1m\" has its units out of order; write the largest first, each once"},
      {"1s1s", "\"1s1s\" has its units out of order; write the largest first, each once"},
      {"8785h", "\"8785h\" is too large a duration"},
      {"8784h1ms", "\"8784h1ms\" is too large a duration"},
      {"99999999999999999999s", "\"99999999999999999999s\" is too large a duration"},
  };
  for (const auto& c : cases) {
    ASSERT_FALSE(parse_duration(c.text)) << c.text;
    EXPECT_EQ(parse_duration(c.text).error().text(), c.error);
  }
}

TEST(Size, IsTaken) {
  const Case<std::uint64_t> cases[] = {
      {"0", 0},
      {"17", 17},
      {"512B", 512},
      {"64KiB", 65536},
      {"64KB", 64000},
      {"10MiB", 10485760},
      {"1GB", 1000000000},
      {"9223372036854775807", 9223372036854775807ULL},
      {"8388607TiB", 8388607ULL << 40},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(parse_size(c.text)) << c.text;
    EXPECT_EQ(*parse_size(c.text), c.value);
    EXPECT_EQ(*parse_size(show_size(c.value)), c.value);
  }
  EXPECT_EQ(show_size(65536), "64KiB");
  EXPECT_EQ(show_size(64000), "64KB");
  EXPECT_EQ(show_size(0), "0");
  EXPECT_EQ(show_size(240), "240");
}

TEST(Size, IsRefusedWithTheReason) {
  const Refused cases[] = {
      {"KiB", "\"KiB\" is not a size"},
      {"1.5MiB", "\"1.5MiB\" has a fraction; write a whole number of a smaller unit"},
      {"64K", "\"64K\" has the unknown unit \"K\"; units are B, KiB, MiB, GiB, TiB (1024) and KB, MB, GB, TB (1000)"},
      {"64KiB5",
       "\"64KiB5\" has the unknown unit \"KiB5\"; units are B, KiB, MiB, GiB, TiB (1024) and KB, MB, GB, TB (1000)"},
      {"9223372036854775808", "\"9223372036854775808\" is too large a size"},
      {"8388608TiB", "\"8388608TiB\" is too large a size"},
  };
  for (const auto& c : cases) {
    ASSERT_FALSE(parse_size(c.text)) << c.text;
    EXPECT_EQ(parse_size(c.text).error().text(), c.error);
  }
}

TEST(Percent, IsTakenOrRefused) {
  EXPECT_EQ(*parse_percent("0%"), 0);
  EXPECT_EQ(*parse_percent("100%"), 100);
  EXPECT_EQ(parse_percent("101%").error().text(), "\"101%\" is more than 100%");
  EXPECT_EQ(parse_percent("20").error().text(), "\"20\" has no unit; write 20%");
  EXPECT_EQ(parse_percent("20%%").error().text(), "\"20%%\" is not a percentage");
  EXPECT_EQ(parse_percent("20%1").error().text(), "\"20%1\" is not a percentage");
  EXPECT_EQ(parse_percent("x").error().text(), "\"x\" is not a percentage");
}

TEST(StatusCodes, AreTakenOrRefused) {
  using Codes = std::vector<StatusRange>;
  EXPECT_EQ(*parse_status_codes("200"), (Codes{{200, 200}}));
  EXPECT_EQ(*parse_status_codes("200,202"), (Codes{{200, 200}, {202, 202}}));
  EXPECT_EQ(*parse_status_codes("200-299, 304"), (Codes{{200, 299}, {304, 304}}));
  EXPECT_EQ(show_status_codes({{200, 299}, {304, 304}}), "200-299,304");
  const Refused cases[] = {
      {"", "\"\": \"\" is not a status from 100 to 599"},
      {"200,", "\"200,\": \"\" is not a status from 100 to 599"},
      {"99", "\"99\": \"99\" is not a status from 100 to 599"},
      {"600", "\"600\": \"600\" is not a status from 100 to 599"},
      {"2xx", "\"2xx\": \"2xx\" is not a status from 100 to 599"},
      {"299-200", "\"299-200\": the range \"299-200\" ends before it starts"},
      {"200-299-300", "\"200-299-300\": \"299-300\" is not a status from 100 to 599"},
  };
  for (const auto& c : cases) {
    ASSERT_FALSE(parse_status_codes(c.text)) << c.text;
    EXPECT_EQ(parse_status_codes(c.text).error().text(), c.error);
  }
  std::string many = "200";
  for (int i = 0; i < 32; ++i) many += ",200";
  EXPECT_FALSE(parse_status_codes(many));
}

TEST(Address, IsTakenAndShownAgain) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"10.0.0.11:8080", "10.0.0.11:8080"},
      {":8080", ":8080"},
      {":0", ":0"},
      {"web-1.example_net.com:80", "web-1.example_net.com:80"},
      {"example.com.:80", "example.com.:80"},
      {"[::1]:80", "[::1]:80"},
      {"[::]:80", "[::]:80"},
      {"[0:0::0]:80", "[::]:80"},
      {"[2001:DB8:0:0:1:0:0:1]:443", "[2001:db8::1:0:0:1]:443"},
      {"[1:0:3:4:5:6:7:8]:1", "[1:0:3:4:5:6:7:8]:1"},
      {"[::ffff:10.0.0.1]:1", "[::ffff:a00:1]:1"},
      {"[1::]:1", "[1::]:1"},
      {"unix:/run/app.sock", "unix:/run/app.sock"},
  };
  for (const auto& [text, shown] : cases) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text << ": " << address.error().text();
    EXPECT_EQ(address->to_string(), shown);
  }
}

TEST(Address, IsRefusedWithTheReason) {
  const Refused cases[] = {
      {"", "\"\" has no port; write host:port"},
      {"example.com", "\"example.com\" has no port; write host:port"},
      {"example.com:", "\"example.com:\": \"\" is not a port from 0 to 65535"},
      {"example.com:65536", "\"example.com:65536\": \"65536\" is not a port from 0 to 65535"},
      {"example.com:080", "\"example.com:080\": \"080\" is not a port from 0 to 65535"},
      {"example.com:http", "\"example.com:http\": \"http\" is not a port from 0 to 65535"},
      {"*:80", "\"*:80\": write \":80\" for every address"},
      {"::1:80", "\"::1:80\": an IPv6 address stands in brackets: [v6]:port"},
      {"[::1:80", "\"[::1:80\" is not an IPv6 address and port; write [v6]:port"},
      {"[:::]:80", "\"[:::]:80\" is not an IPv6 address and port; write [v6]:port"},
      {"[1:2:3:4:5:6:7:8::]:80", "\"[1:2:3:4:5:6:7:8::]:80\" is not an IPv6 address and port; write [v6]:port"},
      {"[1:2:3]:80", "\"[1:2:3]:80\" is not an IPv6 address and port; write [v6]:port"},
      {"[12345::]:80", "\"[12345::]:80\" is not an IPv6 address and port; write [v6]:port"},
      {"10.0.0.300:80", "\"10.0.0.300:80\": \"10.0.0.300\" is not an IPv4 address"},
      {"10.0.0.01:80", "\"10.0.0.01:80\": \"10.0.0.01\" is not an IPv4 address"},
      {"10.0.0:80", "\"10.0.0:80\": \"10.0.0\" is not an IPv4 address"},
      {"a..b:80", "\"a..b:80\": \"a..b\" is not a host name"},
      {"a b:80", "\"a b:80\": \"a b\" is not a host name"},
      {"http://a:80", "\"http://a:80\" is a URL; write host:port"},
      {"unix:run.sock", "\"unix:run.sock\": a Unix socket needs an absolute path: unix:/run/app.sock"},
  };
  for (const auto& c : cases) {
    ASSERT_FALSE(parse_address(c.text)) << c.text;
    EXPECT_EQ(parse_address(c.text).error().text(), c.error);
  }
  EXPECT_FALSE(parse_address(std::string(64, 'a') + ":80"));
  EXPECT_TRUE(parse_address(std::string(63, 'a') + ":80"));
  EXPECT_FALSE(parse_address("unix:/" + std::string(107, 'a')));
  EXPECT_TRUE(parse_address("unix:/" + std::string(106, 'a')));
}

TEST(Address, OfAListenerMayHaveARangeOfPorts) {
  const auto range = parse_listen_address(":7000-7010");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->to_string(), ":7000-7010");
  EXPECT_EQ(range->port_count(), 11);
  EXPECT_EQ(parse_listen_address("[::1]:1-2")->to_string(), "[::1]:1-2");
  EXPECT_EQ(parse_listen_address("a-b.test:80")->to_string(), "a-b.test:80");
  EXPECT_EQ(parse_listen_address("unix:/run/a:b-c")->unix_path, "/run/a:b-c");
  EXPECT_EQ(parse_listen_address(":80")->port_count(), 1);
  for (const std::string_view text : {":0-5", ":7-7", ":8-7", ":1-70000", ":1-", ":-1", ":1-5-9", ":1-4097"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
  EXPECT_TRUE(parse_listen_address(":1-4096"));
}

TEST(Address, OfATargetMayHaveNoPort) {
  EXPECT_EQ(parse_target_address("10.0.0.1")->to_string(), "10.0.0.1");
  EXPECT_TRUE(parse_target_address("10.0.0.1")->same_port);
  EXPECT_EQ(parse_target_address("[fd00::1]")->to_string(), "[fd00::1]");
  EXPECT_EQ(parse_target_address("app.internal")->to_string(), "app.internal");
  EXPECT_FALSE(parse_target_address("app.internal:80")->same_port);
  EXPECT_EQ(parse_target_address("unix:/s")->unix_path, "/s");
  for (const std::string_view text : {"fd00::1", "10.0.0.300", "a b", "[::1", "a:", "http://a"}) {
    EXPECT_FALSE(parse_target_address(text)) << text;
  }
}

TEST(Network, IsTakenAndShownAgain) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"10.0.0.0/8", "10.0.0.0/8"}, {"0.0.0.0/0", "0.0.0.0/0"}, {"192.0.2.1", "192.0.2.1/32"},
      {"fd00::/8", "fd00::/8"},     {"::1", "::1/128"},         {"::/0", "::/0"},
  };
  for (const auto& [text, shown] : cases) {
    const auto network = parse_network(text);
    ASSERT_TRUE(network) << text << ": " << network.error().text();
    EXPECT_EQ(network->to_string(), shown);
  }
  EXPECT_EQ(parse_network("10.0.0.0/8")->prefix_bits, 104);
}

TEST(Network, IsRefusedWithTheReason) {
  const Refused cases[] = {
      {"", "\"\" is not a network; write 10.0.0.0/8 or fd00::/8"},
      {"example.com", "\"example.com\" is not a network; write 10.0.0.0/8 or fd00::/8"},
      {"10.0.0.0/33", "\"10.0.0.0/33\": \"33\" is not a prefix from 0 to 32"},
      {"10.0.0.0/", "\"10.0.0.0/\": \"\" is not a prefix from 0 to 32"},
      {"fd00::/129", "\"fd00::/129\": \"129\" is not a prefix from 0 to 128"},
      {"10.0.0.1/8", "\"10.0.0.1/8\" has bits set beyond its prefix; write 10.0.0.0/8"},
      {"fd00::1/64", "\"fd00::1/64\" has bits set beyond its prefix; write fd00::/64"},
  };
  for (const auto& c : cases) {
    ASSERT_FALSE(parse_network(c.text)) << c.text;
    EXPECT_EQ(parse_network(c.text).error().text(), c.error);
  }
}

// Every parser takes a text cut anywhere without complaint from the sanitizers.
TEST(Units, CutAnywhere) {
  for (const std::string_view text : {"1h1m1s1ms", "64KiB", "100%", "200-299,304", "[2001:db8::10.0.0.1]:443",
                                      "unix:/run/app.sock", "fd00::10.1.2.3/128", "web.example.com:80"}) {
    for (std::size_t end = 0; end <= text.size(); ++end) {
      for (std::size_t begin = 0; begin <= end; ++begin) {
        const std::string part(text.substr(begin, end - begin));
        (void)parse_duration(part);
        (void)parse_size(part);
        (void)parse_percent(part);
        (void)parse_status_codes(part);
        (void)parse_network(part);
        // What is taken is shown in a form that means the same.
        if (const auto address = parse_address(part)) EXPECT_EQ(*parse_address(address->to_string()), *address) << part;
      }
    }
  }
}

}  // namespace
}  // namespace ballast::config

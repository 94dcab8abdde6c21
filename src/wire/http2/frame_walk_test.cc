#include "wire/http2/frame_walk.h"

#include <string>

#include <gtest/gtest.h>

namespace ballast::http2 {
namespace {

std::string frame(char type, const std::string& payload) {
  std::string bytes(9, '\0');
  bytes[1] = static_cast<char>(payload.size() / 256);
  bytes[2] = static_cast<char>(payload.size() % 256);
  bytes[3] = type;
  return bytes + payload;
}

TEST(FrameWalk, CountsEveryFrameOnceWhereverTheBytesAreCut) {
  const std::string bytes = "preface" + frame(4, "") + frame(1, "head") + frame(9, "more of it") +
                            frame(0, std::string(700, '\0')) + frame('\xBA', "unknown") + frame(6, "12345678");
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    FrameWalk walk(7);
    std::size_t frames = walk.count(Bytes(bytes).substr(0, first));
    frames += walk.count({});
    frames += walk.count(Bytes(bytes).substr(first));
    ASSERT_EQ(frames, 5U) << first;
  }
  FrameWalk walk(7);
  std::size_t frames = 0;
  for (const char byte : bytes) frames += walk.count({&byte, 1});
  EXPECT_EQ(frames, 5U);
}

TEST(FrameWalk, AFrameCountsWithItsHead) {
  FrameWalk walk(0);
  const std::string bytes = frame(0, "abc");
  EXPECT_EQ(walk.count(Bytes(bytes).substr(0, 8)), 0U);
  EXPECT_EQ(walk.count(Bytes(bytes).substr(8, 1)), 1U);
  EXPECT_EQ(walk.count(Bytes(bytes).substr(9)), 0U);
}

}  // namespace
}  // namespace ballast::http2

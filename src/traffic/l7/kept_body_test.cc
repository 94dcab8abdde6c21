#include "traffic/l7/kept_body.h"

#include <deque>
#include <string>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using http::PullState;

// Gives its pieces one by one, and has nothing in between.
class Pieces final : public http::Body {
 public:
  explicit Pieces(std::deque<std::string> pieces) : pieces_(std::move(pieces)) {}
  http::Pulled try_pull() override {
    if (pieces_.empty()) return {.state = PullState::End};
    now_ = std::move(pieces_.front());
    pieces_.pop_front();
    if (now_.empty()) return {.state = PullState::WouldBlock};
    return {.state = PullState::Data, .data = now_};
  }
  io::Ready until_ready(io::Deadline) override { std::abort(); }
  http::Framing framing() const override { return http::Framing::Length; }
  std::optional<std::uint64_t> left() const override {
    std::uint64_t left = 0;
    for (const std::string& piece : pieces_) left += piece.size();
    return left;
  }
  bool ended() const override { return pieces_.empty(); }
  Bytes trailers() const override { return "T: 1\r\n"; }

 private:
  std::deque<std::string> pieces_;
  std::string now_;
};

std::string pull_all(http::Body& body) {
  std::string all;
  while (true) {
    const http::Pulled pulled = body.try_pull();
    if (pulled.state != PullState::Data) return all;
    all += pulled.data;
  }
}

TEST(KeptBody, IsSentAgainWithWhatIsStillToCome) {
  Pieces source({"one ", "two ", "", "three"});
  Buffer kept;
  bool goes_once = false;
  {
    KeptBody first(source, kept, 100, goes_once);
    EXPECT_EQ(first.left(), 13);
    EXPECT_EQ(pull_all(first), "one two ");
    EXPECT_FALSE(first.ended());
    EXPECT_EQ(first.repeated(), 0U);
  }
  KeptBody second(source, kept, 100, goes_once);
  EXPECT_EQ(second.left(), 13);
  EXPECT_FALSE(second.ended());
  EXPECT_EQ(pull_all(second), "one two three");
  EXPECT_EQ(second.repeated(), 8U);
  EXPECT_TRUE(second.ended());
  KeptBody third(source, kept, 100, goes_once);
  EXPECT_FALSE(third.ended());
  EXPECT_EQ(pull_all(third), "one two three");
  EXPECT_TRUE(third.ended());
  EXPECT_EQ(third.trailers(), "T: 1\r\n");
  EXPECT_FALSE(goes_once);
}

TEST(KeptBody, OfMoreThanMayBeKeptNothingIs) {
  Pieces source({"12345", "67890", "x", "y"});
  Buffer kept;
  bool goes_once = false;
  KeptBody body(source, kept, 10, goes_once);
  EXPECT_EQ(body.try_pull().data, "12345");
  EXPECT_EQ(body.try_pull().data, "67890");
  EXPECT_FALSE(goes_once);
  EXPECT_EQ(kept.size(), 10U);
  EXPECT_EQ(body.try_pull().data, "x");
  EXPECT_TRUE(goes_once);
  EXPECT_EQ(kept.size(), 0U);
  EXPECT_EQ(pull_all(body), "y");
  EXPECT_EQ(kept.size(), 0U);
}

}  // namespace
}  // namespace ballast::traffic

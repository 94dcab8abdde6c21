#include "wire/compress/compressed_body.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

#include <zlib.h>
#include <zstd.h>

#include <brotli/decode.h>
#include <gtest/gtest.h>

#include "io/run_in_loop.h"
#include "io/scope.h"
#include "wire/http/bytes_body.h"

namespace ballast::compress {
namespace {

using http::Coding;
using http::Pulled;
using http::PullState;

// Whatever can be decoded of a beginning; `whole` tells whether its end was among it.
struct Decoded {
  std::string text;
  bool whole = false;
};

Decoded decode(Coding coding, const std::string& bytes) {
  Decoded decoded;
  std::string piece(64 * kib, '\0');
  if (coding == Coding::Gzip) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int result = Z_OK;
    while (result == Z_OK) {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      result = inflate(&stream, Z_SYNC_FLUSH);
      decoded.text.append(piece, 0, piece.size() - stream.avail_out);
    }
    EXPECT_TRUE(result == Z_STREAM_END || result == Z_BUF_ERROR) << result;
    decoded.whole = result == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
  } else if (coding == Coding::Brotli) {
    BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t left = bytes.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
      std::size_t room = piece.size();
      auto* out = reinterpret_cast<std::uint8_t*>(piece.data());
      result = BrotliDecoderDecompressStream(state, &left, &next, &room, &out, nullptr);
      decoded.text.append(piece, 0, piece.size() - room);
    }
    EXPECT_NE(result, BROTLI_DECODER_RESULT_ERROR);
    decoded.whole = result == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
    BrotliDecoderDestroyInstance(state);
  } else {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ZSTD_inBuffer from{.src = bytes.data(), .size = bytes.size(), .pos = 0};
    std::size_t result = 1;
    while (true) {
      ZSTD_outBuffer to{.dst = piece.data(), .size = piece.size(), .pos = 0};
      result = ZSTD_decompressStream(context, &to, &from);
      EXPECT_FALSE(ZSTD_isError(result)) << ZSTD_getErrorName(result);
      decoded.text.append(piece, 0, to.pos);
      if (ZSTD_isError(result) || result == 0 || (from.pos == from.size && to.pos < to.size)) break;
    }
    decoded.whole = result == 0 && from.pos == from.size;
    ZSTD_freeDCtx(context);
  }
  return decoded;
}

// A body whose pieces come when the test says so; an empty one is a wait.
class Pieces final : public http::Body {
 public:
  explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) { ready_.set_readable(); }
  Pulled try_pull() override {
    if (at_ == pieces_.size()) return end_;
    const std::string& piece = pieces_[at_++];
    if (piece.empty()) return {.state = PullState::WouldBlock};
    return {.state = PullState::Data, .data = piece};
  }
  io::Ready until_ready(io::Deadline deadline) override { return ready_.readable(deadline); }
  http::Framing framing() const override { return http::Framing::Chunked; }
  std::optional<std::uint64_t> left() const override { return std::nullopt; }
  bool ended() const override { return false; }
  Bytes trailers() const override { return "X-Sum: 1\r\n"; }
  void fail() { end_ = {.state = PullState::Failed, .code = Code::Reset}; }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
  Pulled end_;
  io::Readiness ready_;
};

std::string words(std::size_t size) {
  std::minstd_rand random(3);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 500) + ' ';
  text.resize(size);
  return text;
}

class CompressedBodyTest : public testing::TestWithParam<Coding> {
 protected:
  std::unique_ptr<Encoder> encoder() const { return make_encoder(GetParam(), 4); }
  std::unique_ptr<io::Loop> loop_ = io::make_loop();
};

INSTANTIATE_TEST_SUITE_P(Codings, CompressedBodyTest, testing::Values(Coding::Gzip, Coding::Brotli, Coding::Zstd),
                         [](const auto& coding) { return std::string(to_string(coding.param)); });

// Pulls to the end, waiting as who sends it would.
io::Task<void> pull_all(io::Loop& loop, CompressedBody& body, std::string& got, int& waits) {
  while (true) {
    const Pulled pulled = body.try_pull();
    if (pulled.state == PullState::Data) {
      EXPECT_FALSE(pulled.data.empty());
      EXPECT_LE(pulled.data.size(), 200 * kib);
      got += pulled.data;
      continue;
    }
    if (pulled.state != PullState::WouldBlock) {
      EXPECT_EQ(pulled.state, PullState::End);
      break;
    }
    ++waits;
    EXPECT_EQ(co_await body.until_ready(loop.after(std::chrono::seconds(5))), io::Wake::Event);
  }
  EXPECT_TRUE(body.ended());
  EXPECT_EQ(body.left(), 0U);
}

TEST_P(CompressedBodyTest, WhatIsDecodedIsWhatWasThere) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, 64 * kib}) {
    const std::string text = words(size);
    http::BytesBody source(text);
    CompressedBody body(*loop_, source, encoder());
    std::string got;
    int waits = 0;
    io::run_in(*loop_, pull_all(*loop_, body, got, waits));
    const Decoded decoded = decode(GetParam(), got);
    EXPECT_TRUE(decoded.whole) << size;
    EXPECT_TRUE(decoded.text == text) << size;
    EXPECT_EQ(body.source_bytes(), size);
    if (size > kib) {
      EXPECT_LT(got.size(), size / 2);
    }
  }
}

TEST_P(CompressedBodyTest, ALongOne) {
  const std::string text = words(3 * mib);
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += 64 * kib) pieces.push_back(text.substr(at, 64 * kib));
  Pieces source(std::move(pieces));
  CompressedBody body(*loop_, source, encoder());
  std::string got;
  int waits = 0;
  io::run_in(*loop_, pull_all(*loop_, body, got, waits));
  const Decoded decoded = decode(GetParam(), got);
  EXPECT_TRUE(decoded.whole);
  EXPECT_TRUE(decoded.text == text);
}

TEST_P(CompressedBodyTest, NothingIsKeptBackWhileTheSourceWaits) {
  Pieces source({"event: one\n\n", "", "event: two\n\n", "data: ", "x\n\n", "", ""});
  CompressedBody body(*loop_, source, encoder());
  std::string got;
  const auto pull = [&] {
    while (true) {
      const Pulled pulled = body.try_pull();
      if (pulled.state != PullState::Data) return pulled.state;
      EXPECT_FALSE(pulled.data.empty());
      got += pulled.data;
      if (decode(GetParam(), got).text.ends_with("\n\n")) return PullState::Data;
    }
  };
  EXPECT_EQ(pull(), PullState::Data);
  EXPECT_EQ(decode(GetParam(), got).text, "event: one\n\n");
  EXPECT_EQ(pull(), PullState::Data);
  EXPECT_EQ(decode(GetParam(), got).text, "event: one\n\nevent: two\n\ndata: x\n\n");
  EXPECT_FALSE(decode(GetParam(), got).whole);
  // The source still waits, and there is nothing to flush any more.
  const Pulled waiting = body.try_pull();
  EXPECT_EQ(waiting.state, PullState::WouldBlock);
  const Pulled last = body.try_pull();
  ASSERT_EQ(last.state, PullState::Data);
  got += last.data;
  EXPECT_TRUE(decode(GetParam(), got).whole);
  EXPECT_EQ(body.try_pull().state, PullState::End);
  EXPECT_EQ(body.trailers(), "X-Sum: 1\r\n");
}

TEST_P(CompressedBodyTest, ALongOneLetsOthersHaveTheirTurn) {
  const std::string text = words(64 * kib);
  Pieces source(std::vector<std::string>(16, text));
  CompressedBody body(*loop_, source, encoder());
  std::string got;
  int waits = 0;
  io::run_in(*loop_, pull_all(*loop_, body, got, waits));
  EXPECT_EQ(waits, 8);
  EXPECT_EQ(decode(GetParam(), got).text.size(), 16 * text.size());
}

TEST_P(CompressedBodyTest, AFailureOfTheSourceIsItsOwn) {
  Pieces source({"some"});
  source.fail();
  CompressedBody body(*loop_, source, encoder());
  const Pulled pulled = body.try_pull();
  EXPECT_EQ(pulled.state, PullState::Failed);
  EXPECT_EQ(pulled.code, Code::Reset);
  EXPECT_FALSE(body.ended());
}

TEST_P(CompressedBodyTest, OneThatIsLeftInTheMiddleIsNotMissed) {
  Pieces source(std::vector<std::string>(4, words(64 * kib)));
  {
    CompressedBody body(*loop_, source, encoder());
    while (body.try_pull().state == PullState::Data) {
    }
  }
  loop_->stop();
  loop_->run();
}

TEST(Encoder, ThereIsNoneForIdentity) {
  EXPECT_EQ(make_encoder(Coding::Identity, 1), nullptr);
}

}  // namespace
}  // namespace ballast::compress

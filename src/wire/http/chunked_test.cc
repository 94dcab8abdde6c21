#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/cut_everywhere.h"
#include "wire/http/parse.h"

using namespace std::string_literals;

namespace ballast::http {
namespace {

using Kind = ChunkedDecoder::Kind;

struct Decoded {
  Kind kind = Kind::NeedMore;
  Defect defect = Defect::None;
  std::string data;
  std::string trailers;
  std::size_t consumed = 0;

  bool operator==(const Decoded&) const = default;
};

// Decodes input that comes in pieces which end at `cuts`.
Decoded decode(Bytes input, const std::vector<std::size_t>& cuts, const HeadLimits& limits = {}) {
  ChunkedDecoder decoder(limits);
  Decoded result;
  std::size_t begin = 0;
  const auto feed = [&](std::size_t end) {
    const std::unique_ptr<char[]> copy(new char[end - begin]);
    input.copy(copy.get(), end - begin, begin);
    Bytes piece(copy.get(), end - begin);
    begin = end;
    for (;;) {
      const ChunkedDecoder::Step step = decoder.next(piece);
      EXPECT_LE(step.consumed, piece.size());
      result.kind = step.kind;
      result.data += step.data;
      result.consumed += step.consumed;
      piece.remove_prefix(step.consumed);
      if (step.kind == Kind::Data) {
        EXPECT_FALSE(step.data.empty());
        continue;
      }
      if (step.kind == Kind::NeedMore) EXPECT_TRUE(piece.empty());
      if (step.kind == Kind::End) result.trailers = decoder.trailers();
      result.defect = step.defect;
      return step.kind == Kind::NeedMore;
    }
  };
  for (const std::size_t cut : cuts) {
    if (!feed(cut)) return result;
  }
  feed(input.size());
  return result;
}

std::ostream& operator<<(std::ostream& out, const Decoded& decoded) {
  return out << "kind " << static_cast<int>(decoded.kind) << " " << to_string(decoded.defect) << " data '"
             << printable(decoded.data) << "' trailers '" << printable(decoded.trailers) << "' consumed "
             << decoded.consumed;
}

// The whole at once, each single cut, byte by byte, and what was decoded is the same.
Decoded decode_cut_everywhere(Bytes input, const HeadLimits& limits = {}) {
  const Decoded whole = decode(input, {}, limits);
  std::vector<std::size_t> every;
  for (std::size_t at = 0; at <= input.size(); ++at) {
    EXPECT_EQ(decode(input, {at}, limits), whole) << "cut at " << at << " of " << printable(input);
    every.push_back(at);
  }
  EXPECT_EQ(decode(input, every, limits), whole) << "byte by byte: " << printable(input);
  return whole;
}

TEST(ChunkedDecoder, DecodesWhatIsValid) {
  struct Case {
    const char* input;
    const char* data;
    const char* trailers;
  };
  const Case cases[] = {
      {"0\r\n\r\n", "", ""},
      {"0000000000000000\r\n\r\n", "", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"a\r\n0123456789\r\n1\r\n\n\r\n0\r\n\r\n", "0123456789\n", ""},
      {"A;name\r\n0\r\n3456789\r\n0;last=\"one\"\r\n\r\n", "0\r\n3456789", ""},
      {"0000000000000002; a = b\t\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""},
      {"1;\r\nx\r\n0;\xff\r\n\r\n", "x", ""},
      {"0\r\nX-Sum:  a b \r\n\r\n", "", "X-Sum: a b\r\n"},
      {"1\r\nx\r\n0\r\nGrpc-Status:0\r\nServer-Timing:\r\n\r\n", "x", "Grpc-Status: 0\r\nServer-Timing: \r\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(printable(c.input));
    const std::string input = c.input + "GET /next"s;
    const Decoded decoded = decode_cut_everywhere(input);
    EXPECT_EQ(decoded.kind, Kind::End);
    EXPECT_EQ(decoded.data, c.data);
    EXPECT_EQ(decoded.trailers, c.trailers);
    EXPECT_EQ(decoded.consumed, Bytes(c.input).size());
    for (std::size_t size = 0; size < Bytes(c.input).size(); ++size) {
      EXPECT_EQ(decode(Bytes(c.input).substr(0, size), {}).kind == Kind::Failed, false);
      EXPECT_EQ(decode(Bytes(c.input).substr(0, size), {}).kind == Kind::End, false);
    }
  }
}

TEST(ChunkedDecoder, RefusesWhatIsNot) {
  const std::pair<std::string, Defect> cases[] = {
      {"\r\n", Defect::BadChunkSize},
      {" 5\r\n", Defect::BadChunkSize},
      {"5 \r\n", Defect::BadChunkSize},
      {"5\t;a\r\n", Defect::BadChunkSize},
      {"0x5\r\n", Defect::BadChunkSize},
      {"+5\r\n", Defect::BadChunkSize},
      {"-1\r\n", Defect::BadChunkSize},
      {"5h\r\n", Defect::BadChunkSize},
      {";a\r\n", Defect::BadChunkSize},
      {"5,5\r\n", Defect::BadChunkSize},
      {"8000000000000000\r\n", Defect::BadChunkSize},
      {"ffffffffffffffff\r\n", Defect::BadChunkSize},
      {"00000000000000005\r\n", Defect::BadChunkSize},
      {"\n", Defect::BareLf},
      {"5\nhello\r\n", Defect::BareLf},
      {"5\rhello\r\n", Defect::BareCr},
      {"5;a\n", Defect::BareLf},
      {"5;a\rb\r\n", Defect::BareCr},
      {"5\0\r\n"s, Defect::NulByte},
      {"5;\0\r\n"s, Defect::NulByte},
      {"5;\x01\r\n", Defect::BadChunkExtension},
      {"5;\x7f\r\n", Defect::BadChunkExtension},
      {"5;" + std::string(256, 'x') + "\r\n", Defect::BadChunkExtension},
      {"1\r\nxy\r\n", Defect::BadChunkEnd},
      {"1\r\nx\n", Defect::BadChunkEnd},
      {"1\r\nx\rx", Defect::BadChunkEnd},
      {"1\r\nx0\r\n", Defect::BadChunkEnd},
      {"0\r\n\n", Defect::BareLf},
      {"0\r\nX: y\n\r\n", Defect::BareLf},
      {"0\r\nX: y\rz\r\n\r\n", Defect::BareCr},
      {"0\r\nX\ry: z\r\n\r\n", Defect::BareCr},
      {"0\r\n\r\r\n", Defect::BareCr},
      {"0\r\nX: \0\r\n"s, Defect::NulByte},
      {"0\r\nX\0: \r\n"s, Defect::NulByte},
      {"0\r\n X: y\r\n\r\n", Defect::ObsFold},
      {"0\r\nX: y\r\n\tz\r\n\r\n", Defect::ObsFold},
      {"0\r\nX : y\r\n\r\n", Defect::SpaceBeforeColon},
      {"0\r\n: y\r\n\r\n", Defect::BadTrailer},
      {"0\r\nGET\r\n\r\n", Defect::BadTrailer},
      {"0\r\nX(: y\r\n\r\n", Defect::BadTrailer},
      {"0\r\nX: \x7f\r\n\r\n", Defect::BadTrailer},
      {"0\r\nContent-Length: 5\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\ntransfer-encoding: chunked\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nHOST: a\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nConnection: close\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nTE: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nTrailer: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nExpect: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nAuthorization: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nCookie: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nSet-Cookie: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nCache-Control: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nContent-Type: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nContent-Encoding: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nContent-Range: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nX-Forwarded-For: x\r\n\r\n", Defect::ForbiddenTrailer},
      {"0\r\nX-Fine: x\r\nX-Real-IP: x\r\n\r\n", Defect::ForbiddenTrailer},
  };
  for (const auto& [input, defect] : cases) {
    SCOPED_TRACE(printable(input));
    const Decoded decoded = decode_cut_everywhere(input);
    EXPECT_EQ(decoded.kind, Kind::Failed);
    EXPECT_EQ(to_string(decoded.defect), to_string(defect));
    EXPECT_EQ(decoded.trailers, "");
  }
}

TEST(ChunkedDecoder, AllowsExtensionsUpToTheirBound) {
  // 256 bytes with the semicolon.
  EXPECT_EQ(decode_cut_everywhere("1;" + std::string(255, 'x') + "\r\na\r\n0\r\n\r\n").kind, Kind::End);
  EXPECT_EQ(decode_cut_everywhere("1;" + std::string(256, 'x') + "\r\na\r\n0\r\n\r\n").defect,
            Defect::BadChunkExtension);
  // Each chunk's anew.
  const std::string chunk = "1;" + std::string(200, 'x') + "\r\na\r\n";
  EXPECT_EQ(decode(chunk + chunk + chunk + "0\r\n\r\n", {}).data, "aaa");
}

TEST(ChunkedDecoder, KeepsTheTrailersLimits) {
  const HeadLimits limits{.header = 10, .head = 30, .header_count = 3};
  EXPECT_EQ(decode_cut_everywhere("0\r\nX: 4567890\r\n\r\n", limits).kind, Kind::End);
  EXPECT_EQ(decode_cut_everywhere("0\r\nX: 45678901\r\n\r\n", limits).defect, Defect::HeaderTooLarge);
  EXPECT_EQ(decode_cut_everywhere("0\r\nX: 456789012345", limits).defect, Defect::HeaderTooLarge);
  EXPECT_EQ(decode_cut_everywhere("0\r\nA:\r\nB:\r\nC:\r\n\r\n", limits).kind, Kind::End);
  EXPECT_EQ(decode_cut_everywhere("0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", limits).defect, Defect::TooManyHeaders);
  EXPECT_EQ(decode_cut_everywhere("0\r\nA: 4567890\r\nB: 4567890\r\nC:78\r\n\r\n", limits).kind, Kind::End);
  EXPECT_EQ(decode_cut_everywhere("0\r\nA: 4567890\r\nB: 4567890\r\nC:789\r\n\r\n", limits).defect,
            Defect::HeadTooLarge);
}

TEST(ChunkedDecoder, HandsOutLargeChunksInPlace) {
  const std::string body(mib, 'x');
  const std::string input = "100000\r\n" + body + "\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  const ChunkedDecoder::Step step = decoder.next(input);
  ASSERT_EQ(step.kind, Kind::Data);
  EXPECT_EQ(step.data.data(), input.data() + 8);
  EXPECT_EQ(step.data.size(), mib);
  EXPECT_EQ(step.consumed, 8 + mib);
  EXPECT_EQ(decoder.chunk_left(), 0U);
}

TEST(ChunkedDecoder, TellsWhatIsLeftOfAChunk) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.chunk_left(), 0U);
  EXPECT_EQ(decoder.next("7fffffffffffffff").kind, Kind::NeedMore);
  EXPECT_EQ(decoder.chunk_left(), 0U);
  EXPECT_EQ(decoder.next("\r\n").kind, Kind::NeedMore);
  EXPECT_EQ(decoder.chunk_left(), 9223372036854775807U);
  EXPECT_EQ(decoder.next("abc").data, "abc");
  EXPECT_EQ(decoder.chunk_left(), 9223372036854775804U);
}

TEST(ChunkedDecoder, StaysAtItsEnd) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.next("0\r\n\r\n").kind, Kind::End);
  const ChunkedDecoder::Step step = decoder.next("5\r\n");
  EXPECT_EQ(step.kind, Kind::End);
  EXPECT_EQ(step.consumed, 0U);
}

TEST(ChunkedDecoder, GivesOneVerdictForMutatedBodies) {
  const std::string seeds[] = {"5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\nZ:\r\n\r\n", "0;\r\n\r\n"};
  constexpr char bytes[] = {'\0', '\n', '\r', '\t', ' ', ':', ';', '0', '1', 'a', 'g', '\x7f', '\x80'};
  for (const std::string& seed : seeds) {
    for (std::size_t at = 0; at < seed.size(); ++at) {
      for (const char byte : bytes) {
        std::string input = seed;
        input[at] = byte;
        decode_cut_everywhere(input);
      }
      std::string input = seed;
      input.erase(at, 1);
      decode_cut_everywhere(input);
      input = seed;
      input.insert(at, 1, seed[at]);
      decode_cut_everywhere(input);
    }
  }
}

TEST(ChunkedDecoder, IsTheInverseOfChunking) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string body;
    std::string input;
    for (unsigned chunks = random() % 20; chunks > 0; --chunks) {
      std::string chunk(1 + random() % 300, '\0');
      for (char& byte : chunk) byte = static_cast<char>(random());
      char head[18];
      input.append(head, write_chunk_head(head, chunk.size()));
      input += chunk + "\r\n";
      body += chunk;
    }
    input += "0\r\n\r\n";
    std::vector<std::size_t> cuts;
    for (std::size_t at = random() % 100; at < input.size(); at += random() % 100) cuts.push_back(at);
    const Decoded decoded = decode(input, cuts);
    ASSERT_EQ(decoded.kind, Kind::End);
    ASSERT_EQ(decoded.data, body);
    ASSERT_EQ(decoded.consumed, input.size());
  }
}

TEST(ChunkHead, IsHexadecimalWithoutLeadingZeros) {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {0, "0\r\n"},
      {1, "1\r\n"},
      {15, "f\r\n"},
      {16, "10\r\n"},
      {0xabcdef, "abcdef\r\n"},
      {255, "ff\r\n"},
      {256, "100\r\n"},
      {~std::uint64_t{0}, "ffffffffffffffff\r\n"},
      {std::uint64_t{1} << 63, "8000000000000000\r\n"},
  };
  for (const auto& [size, expected] : cases) {
    char out[18];
    EXPECT_EQ(Bytes(out, write_chunk_head(out, size)), expected);
  }
}

}  // namespace
}  // namespace ballast::http

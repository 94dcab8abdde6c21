// header_id: the length chooses one to three candidates, and each is compared in words of up to eight bytes.
#include <cstdint>
#include <cstring>

#include "wire/http/message.h"

namespace ballast::http {
namespace {

template <std::size_t N>
struct Name {
  static constexpr std::size_t size = N - 1;
  char text[N]{};
  consteval Name(const char (&literal)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  // The name's bytes from `at` as a little-endian word, and the case bit of those that are letters.
  template <typename Word>
  consteval Word word(std::size_t at, bool case_bits) const {
    Word value = 0;
    for (std::size_t i = 0; i < sizeof(Word); ++i) {
      const char byte = text[at + i];
      const bool letter = byte >= 'a' && byte <= 'z';
      const auto part = static_cast<Word>(case_bits ? (letter ? 0x20 : 0) : static_cast<unsigned char>(byte));
      value = static_cast<Word>(value | static_cast<Word>(part << (8 * i)));
    }
    return value;
  }
};

template <Name name, typename Word, std::size_t at>
bool same_word(const char* bytes) {
  constexpr Word wanted = name.template word<Word>(at, false);
  constexpr Word case_bits = name.template word<Word>(at, true);
  Word word;
  std::memcpy(&word, bytes + at, sizeof word);
  if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
  }
  return (word | case_bits) == wanted;
}

// `bytes` has the name's size. The last word overlaps the one before it.
template <Name name>
bool same(const char* bytes) {
  constexpr std::size_t size = name.size;
  if constexpr (size > 16) {
    return same_word<name, std::uint64_t, 0>(bytes) && same_word<name, std::uint64_t, 8>(bytes) &&
           same_word<name, std::uint64_t, size - 8>(bytes);
  } else if constexpr (size >= 8) {
    return same_word<name, std::uint64_t, 0>(bytes) && same_word<name, std::uint64_t, size - 8>(bytes);
  } else if constexpr (size >= 4) {
    return same_word<name, std::uint32_t, 0>(bytes) && same_word<name, std::uint32_t, size - 4>(bytes);
  } else {
    return same_word<name, std::uint16_t, 0>(bytes);
  }
}

}  // namespace

HeaderId header_id(Bytes name) {
  const char* bytes = name.data();
  switch (name.size()) {
    case 2:
      if (same<"te">(bytes)) return HeaderId::Te;
      break;
    case 4:
      if (same<"host">(bytes)) return HeaderId::Host;
      if (same<"date">(bytes)) return HeaderId::Date;
      break;
    case 6:
      if (same<"cookie">(bytes)) return HeaderId::Cookie;
      if (same<"server">(bytes)) return HeaderId::Server;
      if (same<"expect">(bytes)) return HeaderId::Expect;
      break;
    case 7:
      if (same<"referer">(bytes)) return HeaderId::Referer;
      if (same<"upgrade">(bytes)) return HeaderId::Upgrade;
      if (same<"trailer">(bytes)) return HeaderId::Trailer;
      break;
    case 9:
      if (same<"forwarded">(bytes)) return HeaderId::Forwarded;
      break;
    case 10:
      if (same<"connection">(bytes)) return HeaderId::Connection;
      if (same<"user-agent">(bytes)) return HeaderId::UserAgent;
      if (same<"keep-alive">(bytes)) return HeaderId::KeepAlive;
      break;
    case 11:
      if (same<"traceparent">(bytes)) return HeaderId::Traceparent;
      break;
    case 12:
      if (same<"content-type">(bytes)) return HeaderId::ContentType;
      if (same<"x-request-id">(bytes)) return HeaderId::XRequestId;
      break;
    case 14:
      if (same<"content-length">(bytes)) return HeaderId::ContentLength;
      if (same<"http2-settings">(bytes)) return HeaderId::Http2Settings;
      break;
    case 15:
      if (same<"x-forwarded-for">(bytes)) return HeaderId::XForwardedFor;
      break;
    case 16:
      if (same<"x-forwarded-host">(bytes)) return HeaderId::XForwardedHost;
      if (same<"x-forwarded-port">(bytes)) return HeaderId::XForwardedPort;
      if (same<"proxy-connection">(bytes)) return HeaderId::ProxyConnection;
      break;
    case 17:
      if (same<"transfer-encoding">(bytes)) return HeaderId::TransferEncoding;
      if (same<"x-forwarded-proto">(bytes)) return HeaderId::XForwardedProto;
      break;
    default:
      break;
  }
  return HeaderId::Other;
}

}  // namespace ballast::http

#include "wire/http/url.h"

#include <charconv>

#include "wire/http/authority.h"

namespace ballast::http {

Result<Url> Url::parse(Bytes text) {
  if (text.size() > bytes_max) return fail(Code::Invalid, "the URL is longer than 2048 bytes");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '@' || c == '#') {
      return fail(Code::Invalid, "the URL has a character that cannot stand there");
    }
  }
  constexpr Bytes plain = "http://";
  constexpr Bytes secure = "https://";
  Url url;
  url.secure = text.starts_with(secure);
  if (!url.secure && !text.starts_with(plain)) {
    return fail(Code::Invalid, "the URL does not begin with http:// or https://");
  }
  text.remove_prefix(url.secure ? secure.size() : plain.size());
  if (url.secure) url.port = 443;
  const std::size_t slash = text.find_first_of("/?");
  Bytes authority = text.substr(0, slash);
  if (slash != Bytes::npos) url.target = (text[slash] == '?' ? "/" : "") + std::string(text.substr(slash));
  url.authority = authority;
  const char* end = authority.data() + authority.size();
  const AuthorityReading read = read_authority(authority.data(), end);
  if (authority.empty() || !read.reading.whole || read.reading.at != end) {
    return fail(Code::Invalid, "the URL names no host, or not as host:port");
  }
  if (read.has_port) {
    const std::size_t colon = authority.rfind(':');
    const Bytes digits = authority.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    authority = authority.substr(0, colon);
  } else if (authority.ends_with(':')) {
    authority.remove_suffix(1);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  url.host = authority;
  if (url.host.empty() || url.port == 0) return fail(Code::Invalid, "the URL names no host, or the port 0");
  return url;
}

}  // namespace ballast::http

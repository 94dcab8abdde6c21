#include "wire/tls/client_hello.h"

#include <algorithm>
#include <optional>
#include <set>

namespace ballast::tls {
namespace {

constexpr std::uint8_t handshake_record = 22;
constexpr std::uint8_t client_hello_message = 1;
constexpr std::size_t record_bytes_max = 1U << 14U;
constexpr std::size_t message_head_bytes = 4;
constexpr std::uint16_t server_name_extension = 0;
constexpr std::uint16_t alpn_extension = 16;

std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}

// Takes what a message is made of off its front.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }

  std::optional<Bytes> take(std::size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const Bytes taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // A number of `size` bytes.
  std::optional<std::size_t> number(std::size_t size) {
    const auto bytes = take(size);
    if (!bytes) return std::nullopt;
    std::size_t value = 0;
    for (const char c : *bytes) value = value << 8U | byte(c);
    return value;
  }
  // What stands behind its length, which has `size` bytes.
  std::optional<Bytes> vector(std::size_t size) {
    const auto length = number(size);
    return length ? take(*length) : std::nullopt;
  }

 private:
  Bytes rest_;
};

// A DNS name of ASCII letters, with the underscore some networks use.
bool is_dns_name(Bytes name) {
  constexpr std::size_t name_bytes_max = 253;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= name_bytes_max && name.front() != '.' && name.back() != '.' &&
         name.find("..") == Bytes::npos && std::all_of(name.begin(), name.end(), fits);
}

HelloDefect read_server_name(Bytes value, ClientHello& hello) {
  constexpr std::size_t host_name = 0;
  Cursor extension(value);
  const auto list = extension.vector(2);
  if (!list || list->empty() || !extension.at_end()) return HelloDefect::BadServerName;
  Cursor names(*list);
  while (!names.at_end()) {
    const auto type = names.number(1);
    auto name = names.vector(2);
    if (!type || !name) return HelloDefect::BadServerName;
    if (*type != host_name) continue;
    // RFC 6066 3 has no dot at the end; clients that were given one send it all the same.
    if (name->ends_with('.')) name->remove_suffix(1);
    if (!hello.server_name.empty() || !is_dns_name(*name)) return HelloDefect::BadServerName;
    hello.server_name = *name;
  }
  return HelloDefect::None;
}

HelloDefect read_alpn(Bytes value, ClientHello& hello) {
  Cursor extension(value);
  const auto list = extension.vector(2);
  if (!list || list->empty() || !extension.at_end()) return HelloDefect::BadAlpn;
  Cursor names(*list);
  while (!names.at_end()) {
    const auto name = names.vector(1);
    if (!name || name->empty()) return HelloDefect::BadAlpn;
    hello.alpn.push_back(*name);
  }
  return HelloDefect::None;
}

HelloDefect read_extensions(Bytes bytes, ClientHello& hello) {
  std::set<std::size_t> seen;
  Cursor extensions(bytes);
  while (!extensions.at_end()) {
    const auto type = extensions.number(2);
    const auto value = extensions.vector(2);
    if (!type || !value || !seen.insert(*type).second) return HelloDefect::BadExtension;
    HelloDefect defect = HelloDefect::None;
    if (*type == server_name_extension) defect = read_server_name(*value, hello);
    if (*type == alpn_extension) defect = read_alpn(*value, hello);
    if (defect != HelloDefect::None) return defect;
  }
  return HelloDefect::None;
}

}  // namespace

ClientHelloReader::Progress ClientHelloReader::fail(HelloDefect defect) {
  defect_ = defect;
  hello_ = {};
  return progress_ = Progress::Failed;
}

ClientHelloReader::Progress ClientHelloReader::feed(Bytes bytes) {
  while (progress_ == Progress::NeedMore && !bytes.empty()) {
    if (record_left_ == 0) {
      record_head_[record_head_bytes_++] = bytes.front();
      bytes.remove_prefix(1);
      ++raw_bytes_;
      const bool first = message_.empty();
      const HelloDefect other = first ? HelloDefect::NotTls : HelloDefect::NotHello;
      if (byte(record_head_[0]) != handshake_record) return fail(other);
      if (record_head_bytes_ >= 2 && record_head_[1] != 3) return fail(other);
      if (record_head_bytes_ < sizeof record_head_) continue;
      record_left_ = static_cast<std::size_t>(byte(record_head_[3]) << 8 | byte(record_head_[4]));
      record_head_bytes_ = 0;
      if (record_left_ == 0 || record_left_ > record_bytes_max) return fail(HelloDefect::BadRecord);
      if (raw_bytes_ + record_left_ > client_hello_raw_bytes_max) return fail(HelloDefect::TooLarge);
      continue;
    }
    const Bytes piece = bytes.substr(0, record_left_);
    message_.append(piece);
    bytes.remove_prefix(piece.size());
    record_left_ -= piece.size();
    raw_bytes_ += piece.size();
    take_message();
  }
  return progress_;
}

ClientHelloReader::Progress ClientHelloReader::take_message() {
  const Bytes message = message_.view();
  if (byte(message[0]) != client_hello_message) return fail(HelloDefect::NotHello);
  if (message.size() < message_head_bytes) return progress_;
  const std::size_t size = static_cast<std::size_t>(byte(message[1])) << 16U |
                           static_cast<std::size_t>(byte(message[2])) << 8U | byte(message[3]);
  if (message_head_bytes + size > client_hello_bytes_max) return fail(HelloDefect::TooLarge);
  if (message.size() < message_head_bytes + size) return progress_;
  const HelloDefect defect = read_message(message.substr(message_head_bytes, size));
  return defect == HelloDefect::None ? progress_ = Progress::Complete : fail(defect);
}

HelloDefect ClientHelloReader::read_message(Bytes body) {
  constexpr std::size_t version_and_random_bytes = 2 + 32;
  constexpr std::size_t session_bytes_max = 32;
  Cursor cursor(body);
  const auto fixed = cursor.take(version_and_random_bytes);
  const auto session = cursor.vector(1);
  const auto ciphers = cursor.vector(2);
  const auto compressions = cursor.vector(1);
  if (!fixed || !session || !ciphers || !compressions) return HelloDefect::BadHello;
  if ((*fixed)[0] != 3 || session->size() > session_bytes_max) return HelloDefect::BadHello;
  if (ciphers->empty() || ciphers->size() % 2 != 0 || compressions->empty()) return HelloDefect::BadHello;
  if (cursor.at_end()) return HelloDefect::None;  // before TLS 1.3 there may be no extensions
  const auto extensions = cursor.vector(2);
  if (!extensions || !cursor.at_end()) return HelloDefect::BadHello;
  return read_extensions(*extensions, hello_);
}

std::string_view to_string(HelloDefect defect) {
  switch (defect) {
    case HelloDefect::None:
      return "";
    case HelloDefect::NotTls:
      return "not_tls";
    case HelloDefect::NotHello:
      return "not_hello";
    case HelloDefect::BadRecord:
      return "bad_record";
    case HelloDefect::TooLarge:
      return "too_large";
    case HelloDefect::BadHello:
      return "bad_hello";
    case HelloDefect::BadExtension:
      return "bad_extension";
    case HelloDefect::BadServerName:
      return "bad_server_name";
    case HelloDefect::BadAlpn:
      return "bad_alpn";
  }
  return "";
}

void write_alert(Buffer& out, Alert alert) {
  constexpr char fatal = 2;
  out.append(Bytes("\x15\x03\x03\x00\x02", 5));
  out.append(fatal);
  out.append(static_cast<char>(alert));
}

}  // namespace ballast::tls

#include "wire/tls/ticket_keys.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace ballast::tls {
namespace {

// The first word of each line; another one is of a later version.
constexpr Bytes version = "1";
// Rotation leaves no more than three; a file with many was not written here.
constexpr std::size_t keys_max = 16;

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

template <std::size_t size>
void append_hex(std::string& out, const std::array<unsigned char, size>& bytes) {
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
}

template <std::size_t size>
bool take_hex(Bytes& from, std::array<unsigned char, size>& bytes) {
  if (from.size() < 2 * size) return false;
  for (std::size_t i = 0; i < size; ++i) {
    const char* digits = from.data() + 2 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, bytes[i], 16);
    if (error != std::errc{} || end != digits + 2) return false;
  }
  from.remove_prefix(2 * size);
  return true;
}

Bytes take_word(Bytes& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const Bytes word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

}  // namespace

TicketKey new_ticket_key(WallTime now) {
  TicketKey key;
  key.made = std::chrono::time_point_cast<WallTime::duration>(std::chrono::floor<std::chrono::seconds>(now));
  CHECK(RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1);
  CHECK(RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1);
  CHECK(RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1);
  return key;
}

TicketKeys rotated(TicketKeys keys, WallTime now) {
  std::erase_if(keys, [&](const TicketKey& key) {
    return key.made > now + std::chrono::minutes(1) || now - key.made >= ticket_key_rotation + ticket_lifetime;
  });
  std::sort(keys.begin(), keys.end(), [](const TicketKey& a, const TicketKey& b) { return a.made > b.made; });
  if (keys.empty() || now - keys.front().made >= ticket_key_rotation) {
    keys.insert(keys.begin(), new_ticket_key(now));
  }
  if (keys.size() > keys_max) keys.resize(keys_max);
  return keys;
}

std::string write_ticket_keys(const TicketKeys& keys) {
  std::string text;
  for (const TicketKey& key : keys) {
    fmt::format_to(std::back_inserter(text), "{} {} ", version, seconds_of(key.made));
    append_hex(text, key.name);
    append_hex(text, key.cipher);
    append_hex(text, key.mac);
    text += '\n';
  }
  return text;
}

Result<TicketKeys> read_ticket_keys(Bytes text) {
  TicketKeys keys;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Bytes line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool ours = take_word(line) == version;
    const Bytes made = take_word(line);
    std::int64_t seconds = 0;
    const auto [stop, error] = std::from_chars(made.data(), made.data() + made.size(), seconds);
    TicketKey key;
    // Beyond the year 3000 it is no time, and could not be counted in nanoseconds.
    const bool good = ours && error == std::errc{} && stop == made.data() + made.size() && !made.empty() &&
                      seconds >= 0 && seconds < 9'000'000'000 && take_hex(line, key.name) &&
                      take_hex(line, key.cipher) && take_hex(line, key.mac) && line.empty();
    if (!good || keys.size() == keys_max) return fail(Code::Malformed, "not ticket keys as ballast writes them");
    key.made = WallTime(std::chrono::seconds(seconds));
    keys.push_back(key);
  }
  return keys;
}

}  // namespace ballast::tls

#include "traffic/control/sticky_secret.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "io/file.h"
#include "traffic/control/events.h"

namespace ballast::traffic {
namespace {

// The first word of the line; another one is of a later version.
constexpr Bytes version = "1 ";
// What else the key might come to be used for would begin with another word.
constexpr Bytes purpose = "sticky target";
constexpr std::size_t token_bytes = 16;

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

std::string file_in(const std::string& state_directory) {
  return state_directory + "/sticky-key";
}

}  // namespace

std::string write_sticky_key(const StickySecret::Key& key) {
  return fmt::format("{}{}\n", version, hex(key));
}

Result<StickySecret::Key> read_sticky_key(Bytes text) {
  StickySecret::Key key{};
  const auto wrong = [] { return fail(Code::Malformed, "not a sticky key as ballast writes it"); };
  if (text.size() != version.size() + 2 * key.size() + 1 || !text.starts_with(version) || !text.ends_with('\n')) {
    return wrong();
  }
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* digits = text.data() + version.size() + 2 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, key[i], 16);
    if (error != std::errc{} || end != digits + 2) return wrong();
  }
  return key;
}

void StickySecret::prepare(const config::Settings& settings, EventLog& events) {
  const bool is_needed = std::ranges::any_of(settings.target_groups, [](const config::TargetGroup& group) {
    return group.sticky.has_value() && group.sticky->sets_cookie();
  });
  if (is_needed && !std::exchange(is_there_, true)) load(settings.state_directory, events);
}

void StickySecret::load(const std::string& state_directory, EventLog& events) {
  constexpr std::size_t bytes_max = 4 * kib;
  const std::string path = file_in(state_directory);
  const Result<std::string> text = io::read_file(path, bytes_max);
  const bool is_absent = !text && text.error().code() == Code::NotFound;
  const Result<Key> read = text ? read_sticky_key(*text) : fail(text.error());
  if (read) {
    key_ = *read;
    return;
  }
  if (!is_absent) {
    events.add("state.not_loaded", path,
               fmt::format("{}: a new key is made, and clients with sticky cookies are balanced anew once",
                           read.error().text()));
  }
  CHECK(RAND_priv_bytes(key_.data(), static_cast<int>(key_.size())) == 1);
  Result<> saved = io::make_folder(state_directory);
  if (saved) saved = io::write_file_atomically(path, write_sticky_key(key_), 0600);
  if (saved) return;
  events.add("state.not_saved", state_directory,
             fmt::format("{}: clients with sticky cookies are balanced anew after a restart or an upgrade; make "
                         "state_directory writable",
                         saved.error().text()));
}

std::string StickySecret::token(const Of& of) const {
  CHECK(is_there_);
  // With lengths, so that no two pairs of names read the same.
  const std::string text =
      fmt::format("{}\n{} {}\n{} {}", purpose, of.group.size(), of.group, of.target.size(), of.target);
  std::array<std::uint8_t, 32> digest{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size) != nullptr);
  CHECK(size == digest.size());
  return hex(std::span(digest).first(token_bytes));
}

}  // namespace ballast::traffic

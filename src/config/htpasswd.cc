#include "config/htpasswd.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {
namespace {

constexpr std::size_t name_bytes_max = 255;

std::string_view kind_of(std::string_view hash) {
  if (hash.starts_with("$apr1$")) return "Apache's MD5";
  if (hash.starts_with("{SHA}")) return "SHA-1 without salt";
  if (hash.starts_with("$1$")) return "MD5";
  if (hash.starts_with("$5$")) return "SHA-256";
  if (hash.starts_with("$6$")) return "SHA-512";
  if (hash.starts_with("$y$") || hash.starts_with("$7$")) return "yescrypt";
  if (hash.starts_with("$argon2")) return "Argon2";
  if (hash.starts_with("$2x$")) return "the faulty early bcrypt";
  return "plain text or crypt";
}

// "$2y$10$" and 53 characters of bcrypt's alphabet.
Result<int> cost_of(std::string_view hash) {
  constexpr std::size_t size = 60;
  const bool bcrypt = hash.starts_with("$2y$") || hash.starts_with("$2b$") || hash.starts_with("$2a$");
  if (!bcrypt) {
    return fail(Code::Unsupported, fmt::format("the password is kept as {}, only bcrypt is taken; set it anew: "
                                               "htpasswd -B FILE USER",
                                               kind_of(hash)));
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto in_alphabet = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '.' || c == '/';
  };
  if (hash.size() != size || !is_digit(hash[4]) || !is_digit(hash[5]) || hash[6] != '$' ||
      !std::ranges::all_of(hash.substr(7), in_alphabet)) {
    return fail(Code::Malformed, "the bcrypt hash is not whole");
  }
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < 4 || cost > bcrypt_cost_max) {
    return fail(Code::Unsupported,
                fmt::format("bcrypt's cost {} is not within 4 to {}; set it anew: htpasswd -B -C 10 FILE USER", cost,
                            bcrypt_cost_max));
  }
  return cost;
}

bool is_user_name(std::string_view name) {
  // It goes into a header and into the log.
  return !name.empty() && name.size() <= name_bytes_max &&
         std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }) &&
         name.front() != ' ' && name.back() != ' ';
}

}  // namespace

Result<Htpasswd> parse_htpasswd(std::string_view text) {
  Htpasswd users;
  int cost_max = 0;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos) {
      return fail(Code::Malformed, fmt::format("line {}: there is no \":\" between a user and a hash", number));
    }
    if (!is_user_name(name)) {
      return fail(Code::Malformed, fmt::format("line {}: {} cannot be a user's name", number, quote(name)));
    }
    // Some tools keep a comment behind a second colon.
    const std::string_view rest = line.substr(colon + 1);
    const std::string_view hash = rest.substr(0, rest.find(':'));
    const Result<int> cost = cost_of(hash);
    if (!cost) {
      return fail(cost.error().code(), fmt::format("line {}, user {}: {}", number, quote(name), cost.error().text()));
    }
    cost_max = std::max(cost_max, *cost);
    if (!users.hash_of.emplace(name, hash).second) {
      return fail(Code::Malformed, fmt::format("line {}: the user {} is there twice", number, quote(name)));
    }
  }
  if (users.hash_of.empty()) {
    return fail(Code::Invalid, "it holds no user; make one with: htpasswd -B -c FILE USER");
  }
  users.cost_max = cost_max;
  return users;
}

}  // namespace ballast::config

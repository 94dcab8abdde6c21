#include "traffic/auth/crypto/bcrypt.h"

#include <memory>

#include <crypt.h>

#include <fmt/format.h>

#include "traffic/auth/crypto/keyed_hash.h"

namespace ballast::traffic::auth {

bool is_password_of(const std::string& hash, const std::string& password) {
  if (password.find('\0') != std::string::npos) return false;
  const auto data = std::make_unique<crypt_data>();  // 32 KiB, zeroed
  const char* got = crypt_r(password.c_str(), hash.c_str(), data.get());
  const bool same = got != nullptr && got[0] != '*' && equal_in_constant_time(Bytes(got), Bytes(hash));
  wipe(data.get(), sizeof(crypt_data));
  return same;
}

std::string hash_of_nobody(int cost) {
  // A salt, and for the hash what no computation gives: its last letter has bits that bcrypt never sets.
  return fmt::format("$2y${:02}$0123456789ABCDEFabcdeu{:/<31}", cost, "");
}

}  // namespace ballast::traffic::auth

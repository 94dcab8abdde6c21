// Htpasswd: the file of users that Apache's htpasswd writes, `name:hash` a line. Only bcrypt is taken: of the other
// kinds some are as good as no hash at all, and none is slow enough to try.
//
// A value; read on the control thread, and by `ballast check`.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ballast::config {

// A file of 10,000 users is this large; a larger one belongs into a directory service behind `forward`.
inline constexpr std::size_t htpasswd_bytes_max = 1024 * 1024;
// What one try costs doubles with each: 14 is about a second.
inline constexpr int bcrypt_cost_max = 14;

struct Htpasswd {
  std::map<std::string, std::string, std::less<>> hash_of;  // by user
  // Of the hash that costs most: what trying an unknown user must cost too.
  int cost_max = 10;
  friend bool operator==(const Htpasswd&, const Htpasswd&) = default;
};

// Blank lines and lines that begin with # are passed over. The Error says "line 3: ..." and what to do.
Result<Htpasswd> parse_htpasswd(std::string_view text);

}  // namespace ballast::config

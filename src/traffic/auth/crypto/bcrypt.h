// bcrypt: the slow hash of passwords, by libcrypt. A check takes 5 ms to a second, on purpose: never on a worker's
// loop.
#pragma once

#include <string>

namespace ballast::traffic::auth {

// `hash` as config::parse_htpasswd() takes it. A password with a NUL in it is never right: bcrypt would not see what
// comes behind it. Of a longer one bcrypt sees 72 bytes. Any thread; about 32 KiB of heap while it runs.
bool is_password_of(const std::string& hash, const std::string& password);

// A hash of that cost which no password has: what an unknown user's password is tried against.
std::string hash_of_nobody(int cost);

}  // namespace ballast::traffic::auth

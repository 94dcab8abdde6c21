#include "traffic/auth/guard.h"

#include <algorithm>

#include "io/loop.h"
#include "wire/http/list.h"

namespace ballast::traffic::auth {

void KeyWish::want() {
  if (wanted_.exchange(true, std::memory_order_relaxed)) return;
  control_loop_.post([self = shared_from_this()] {
    if (self->fetch_soon_ != nullptr) self->fetch_soon_();
  });
}

bool is_same_header(Bytes left, Bytes right) {
  const auto folded = [](char c) { return c == '_' ? '-' : http::to_lower(c); };
  return std::ranges::equal(left, right, [&](char a, char b) { return folded(a) == folded(b); });
}

}  // namespace ballast::traffic::auth

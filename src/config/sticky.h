// Part of the settings (settings.h): what keeps a client with the target that has served it.
#pragma once

#include <optional>
#include <string>

#include "config/health_check.h"
#include "config/mark.h"

namespace ballast::config {

// What a client is known by: a cookie of the balancer's, the same for as long as the application keeps its own cookie
// of this name, its address, or a header.
enum class StickyKind { Cookie, ApplicationCookie, Source, Header };
struct StickyBy {
  StickyKind kind = StickyKind::Cookie;
  std::string name;  // of the application's cookie or the header
  friend bool operator==(const StickyBy&, const StickyBy&) = default;
};

enum class SameSite { Lax, Strict, None };
// Auto: where the client came over TLS.
enum class SecureCookie { Auto, Always, Never };

struct Sticky {
  StickyBy by;
  std::string name = "BALLAST";         // of the balancer's own cookie; its attributes follow
  std::optional<Milliseconds> max_age;  // from the last response on; none: until the browser ends
  std::string path = "/";
  SameSite same_site = SameSite::Lax;
  SecureCookie secure = SecureCookie::Auto;
  Mark mark;
  bool sets_cookie() const { return by.kind == StickyKind::Cookie || by.kind == StickyKind::ApplicationCookie; }
  friend bool operator==(const Sticky&, const Sticky&) = default;
};

}  // namespace ballast::config

// NameTable: which certificates are for a name that a client asks for (SNI, RFC 6066 3).
//
// Certificates are numbers here. A name is looked for as it is, then with its first label replaced by "*" (RFC 6125
// 6.4.3). Of each kind of key the first certificate with the name counts, so that an ECDSA and an RSA certificate may
// stand side by side. A value, immutable after making.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace ballast::tls {

class NameTable {
 public:
  struct Entry {
    std::vector<std::string> names;  // lower case
    std::string key_kind;
  };
  using Bundle = std::vector<std::uint32_t>;  // certificates of different kinds, never empty

  // `entries` are not empty. The first one's bundle is the default.
  explicit NameTable(const std::vector<Entry>& entries);

  const std::vector<Bundle>& bundles() const { return bundles_; }
  std::uint32_t default_bundle() const { return 0; }
  // Case and a dot at the end do not count. None: no certificate has it.
  std::optional<std::uint32_t> find(Bytes name) const;

 private:
  std::uint32_t place_of(const Bundle& bundle);

  std::vector<Bundle> bundles_;
  std::map<std::string, std::uint32_t, std::less<>> names_;
};

}  // namespace ballast::tls

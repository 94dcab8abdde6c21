// Hop-by-hop fields: those about this connection only, which a proxy takes out of what it sends on (RFC 9110 7.6.1).
//
// They are Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings, and what
// Connection names. Who sends the message on writes its own Connection, Upgrade, "TE: trailers" and framing.
#pragma once

#include <array>
#include <cstdint>

#include "wire/http/message.h"

namespace ballast::http {

class HopByHop {
 public:
  // Linear in the fields; each of at most `named_max` names in Connection costs one more walk over them.
  explicit HopByHop(const Fields& fields);

  // `field` is one of those fields.
  bool contains(const Field& field) const {
    const auto index = static_cast<std::size_t>(&field - first_);
    return ((bits_[index / 64] >> (index % 64)) & 1U) != 0;
  }

  // More names than this in Connection are overlooked: nobody needs them, and the work they ask for is theirs to
  // multiply.
  static constexpr int named_max = 16;

 private:
  void add(std::size_t index) { bits_[index / 64] |= std::uint64_t{1} << (index % 64); }
  void add_named(const Fields& fields, Bytes option);

  const Field* first_;
  std::array<std::uint64_t, fields_max / 64> bits_{};
};

// The same for a single question; HopByHop answers for all fields of a head at once.
inline bool is_hop_by_hop(const Fields& fields, const Field& field) {
  return HopByHop(fields).contains(field);
}

}  // namespace ballast::http

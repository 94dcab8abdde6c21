#include "wire/http/hop_by_hop.h"

#include "wire/http/list.h"

namespace ballast::http {
namespace {

constexpr std::uint32_t bit(HeaderId id) {
  return 1U << static_cast<unsigned>(id);
}

constexpr std::uint32_t always = bit(HeaderId::Connection) | bit(HeaderId::KeepAlive) | bit(HeaderId::ProxyConnection) |
                                 bit(HeaderId::Te) | bit(HeaderId::Trailer) | bit(HeaderId::TransferEncoding) |
                                 bit(HeaderId::Upgrade) | bit(HeaderId::Http2Settings);

bool is_always(HeaderId id) {
  return ((always >> static_cast<unsigned>(id)) & 1U) != 0;
}

}  // namespace

HopByHop::HopByHop(const Fields& fields) : first_(fields.begin()) {
  int named = 0;
  for (std::size_t index = 0; const Field& field : fields) {
    if (is_always(field.id)) add(index);
    ++index;
    if (field.id != HeaderId::Connection) continue;
    ListReader options(fields.value(field));
    for (Bytes option; named < named_max && options.next(option);) {
      if (iequals(option, "keep-alive") || iequals(option, "close") || iequals(option, "upgrade")) continue;
      ++named;
      add_named(fields, option);
    }
  }
}

// Fields that the proxy itself reads or writes cannot be named away: a client that could remove Host, Content-Length or
// a forwarded header would decide what the target believes about the message.
void HopByHop::add_named(const Fields& fields, Bytes option) {
  if (header_id(option) != HeaderId::Other) return;
  for (std::size_t index = 0; const Field& field : fields) {
    if (iequals(fields.name(field), option)) add(index);
    ++index;
  }
}

}  // namespace ballast::http

#include "wire/grpc/health.h"

namespace ballast::grpc {
namespace {

constexpr std::size_t prefix_bytes = 5;
enum WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Counted = 2, Fixed32 = 5 };

void write_varint(Buffer& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.append(static_cast<char>((value & 0x7fU) | 0x80U));
  out.append(static_cast<char>(value));
}

// Takes one from the front.
std::optional<std::uint64_t> take_varint(Bytes& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool skip(Bytes& bytes, std::uint64_t count) {
  if (count > bytes.size()) return false;
  bytes.remove_prefix(count);
  return true;
}

}  // namespace

std::string_view to_string(Serving serving) {
  switch (serving) {
    case Serving::Serving:
      return "SERVING";
    case Serving::NotServing:
      return "NOT_SERVING";
    case Serving::ServiceUnknown:
      return "SERVICE_UNKNOWN";
    case Serving::Unknown:
      break;
  }
  return "UNKNOWN";
}

void write_health_request(Buffer& out, Bytes service) {
  Buffer body;
  if (!service.empty()) {
    body.append(static_cast<char>(1U << 3U | Counted));
    write_varint(body, service.size());
    body.append(service);
  }
  out.append('\0');  // not compressed
  for (unsigned shift = 32; shift != 0;) {
    shift -= 8;
    out.append(static_cast<char>(body.size() >> shift & 0xffU));
  }
  out.append(body.view());
}

std::optional<Serving> parse_health_response(Bytes message) {
  if (message.size() < prefix_bytes || message[0] != '\0') return std::nullopt;
  std::uint32_t size = 0;
  for (std::size_t i = 1; i < prefix_bytes; ++i) size = size << 8U | static_cast<unsigned char>(message[i]);
  Bytes body = message.substr(prefix_bytes);
  if (body.size() != size) return std::nullopt;
  auto serving = Serving::Unknown;  // protobuf does not send zeros
  while (!body.empty()) {
    const auto tag = take_varint(body);
    if (!tag.has_value() || *tag >> 3U == 0) return std::nullopt;
    switch (*tag & 7U) {
      case Varint: {
        const auto value = take_varint(body);
        if (!value.has_value()) return std::nullopt;
        if (*tag >> 3U == 1) serving = *value <= 3 ? static_cast<Serving>(*value) : Serving::Unknown;
        break;
      }
      case Fixed64:
        if (!skip(body, 8)) return std::nullopt;
        break;
      case Counted: {
        const auto count = take_varint(body);
        if (!count.has_value() || !skip(body, *count)) return std::nullopt;
        break;
      }
      case Fixed32:
        if (!skip(body, 4)) return std::nullopt;
        break;
      default:
        return std::nullopt;
    }
  }
  return serving;
}

}  // namespace ballast::grpc

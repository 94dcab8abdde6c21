#include "traffic/l7/compress.h"

#include <algorithm>
#include <array>

#include "config/wildcard.h"
#include "wire/http/list.h"

namespace ballast::traffic {
namespace {

const http::FieldLine* find(const std::vector<http::FieldLine>& lines, Bytes name) {
  const auto found =
      std::ranges::find_if(lines, [&](const http::FieldLine& line) { return http::iequals(line.name, name); });
  return found != lines.end() ? &*found : nullptr;
}

bool any_has(const std::vector<http::FieldLine>& lines, Bytes name, Bytes word) {
  return std::ranges::any_of(lines, [&](const http::FieldLine& line) {
    return http::iequals(line.name, name) && http::list_has(line.value, word);
  });
}

bool is_of_types(Bytes content_type, const std::vector<std::string>& types) {
  const Bytes media = content_type.substr(0, content_type.find_first_of("; \t"));
  constexpr std::size_t longest = 128;  // no registered one comes near
  if (media.empty() || media.size() > longest) return false;
  std::array<char, longest> lower;
  std::ranges::transform(media, lower.begin(), http::to_lower);
  const Bytes type(lower.data(), media.size());
  return std::ranges::any_of(types, [&](const std::string& each) { return config::matches_wildcard(each, type); });
}

http::Coding coding_of(config::ContentCoding coding) {
  switch (coding) {
    case config::ContentCoding::Gzip:
      return http::Coding::Gzip;
    case config::ContentCoding::Brotli:
      return http::Coding::Brotli;
    case config::ContentCoding::Zstd:
      return http::Coding::Zstd;
  }
  return http::Coding::Identity;
}

int level_of(http::Coding coding, const config::Compression& settings) {
  switch (coding) {
    case http::Coding::Gzip:
      return settings.gzip_level;
    case http::Coding::Brotli:
      return settings.brotli_level;
    case http::Coding::Zstd:
      return settings.zstd_level;
    case http::Coding::Identity:
      break;
  }
  return 0;
}

// Whether this response would be compressed for a client that accepts it.
bool is_compressible(const config::Compression& settings, const ResponseFacts& response,
                     const std::vector<http::FieldLine>& lines) {
  switch (response.status) {
    case 204:
    case 205:
    case 206:
    case 304:
      return false;
    default:
      if (response.status < 200) return false;
  }
  if (response.length.has_value() && *response.length < settings.minimum) return false;
  const http::FieldLine* type = find(lines, "Content-Type");
  if (type == nullptr || !is_of_types(type->value, settings.types)) return false;
  // Coded already, a part, or with a sum over the bytes as they are.
  for (const Bytes name : {Bytes("Content-Encoding"), Bytes("Content-Range"), Bytes("Content-MD5"), Bytes("Digest"),
                           Bytes("Content-Digest"), Bytes("Repr-Digest")}) {
    if (find(lines, name) != nullptr) return false;
  }
  return !any_has(lines, "Cache-Control", "no-transform");
}

}  // namespace

CompressionChoice choose_compression(const config::Compression& settings, const http::RequestHead& request,
                                     const ResponseFacts& response, const std::vector<http::FieldLine>& lines) {
  if (!is_compressible(settings, response, lines)) return {};
  CompressionChoice choice{.varies = true};
  // What has no known length ends an HTTP/1.0 connection; and its clients are proxies of old that know no Vary.
  if (request.minor_version == 0) return choice;
  std::array<http::Coding, 3> offered;
  std::size_t count = 0;
  for (const config::ContentCoding coding : settings.codings) {
    if (count < offered.size()) offered[count++] = coding_of(coding);
  }
  choice.coding = http::choose_coding(request.fields, {offered.data(), count});
  return choice;
}

void ResponseCompression::weaken_tag(std::vector<http::FieldLine>& lines) {
  for (http::FieldLine& line : lines) {
    if (!http::iequals(line.name, "ETag") || line.value.starts_with("W/")) continue;
    tag_ = "W/" + std::string(line.value);
    line.value = tag_;
  }
}

void ResponseCompression::add_vary(std::vector<http::FieldLine>& lines) {
  if (any_has(lines, "Vary", "Accept-Encoding") || any_has(lines, "Vary", "*")) return;
  for (http::FieldLine& line : lines) {
    if (!http::iequals(line.name, "Vary")) continue;
    vary_ = std::string(line.value) + ", Accept-Encoding";
    line.value = vary_;
    return;
  }
  lines.push_back({"Vary", "Accept-Encoding"});
}

http::Body& ResponseCompression::apply(const std::optional<config::Compression>& settings,
                                       const http::RequestHead& request, const ResponseFacts& response,
                                       std::vector<http::FieldLine>& lines, http::OutgoingFraming& framing,
                                       http::Body& body) {
  if (!settings.has_value()) return body;
  if (response.status == 304) {
    // The tag that the client was given with the compressed form is the one that it gets confirmed.
    const http::FieldLine* tag = find(lines, "ETag");
    const http::Field* asked = request.fields.find("If-None-Match");
    if (tag != nullptr && asked != nullptr && !tag->value.starts_with("W/") &&
        request.fields.value(*asked).find("W/" + std::string(tag->value)) != Bytes::npos) {
      weaken_tag(lines);
    }
    return body;
  }
  const CompressionChoice choice = choose_compression(*settings, request, response, lines);
  if (choice.varies) add_vary(lines);
  if (choice.coding == http::Coding::Identity) return body;
  const auto describe = [&] {
    lines.push_back({"Content-Encoding", to_string(choice.coding)});
    // Ranges are of the coded bytes, which nobody keeps; and another level makes others (RFC 9110 8.8.1).
    std::erase_if(lines, [](const http::FieldLine& line) { return http::iequals(line.name, "Accept-Ranges"); });
    weaken_tag(lines);
    framing.length = 0;
    framing.states_length = false;
  };
  if (request.is_head) {
    describe();
    framing.framing = http::Framing::None;
    return body;
  }
  if (worker_.compressing() >= settings->streams_max) return body;
  auto encoder = compress::make_encoder(choice.coding, level_of(choice.coding, *settings));
  if (encoder == nullptr) return body;
  describe();
  framing.framing = http::Framing::Chunked;
  ++worker_.compressing();
  return body_.emplace(worker_.loop(), body, std::move(encoder));
}

}  // namespace ballast::traffic

// The schema of compression: what is compressed for clients, by what, and how hard.
#include <algorithm>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

Value<std::string> media_type_pattern() {
  return text({.words = "media type, with * for any text",
               .bytes_max = 100,
               .check = [](std::string_view value) -> std::string {
                 const std::size_t slash = value.find('/');
                 const bool good = slash != std::string_view::npos && slash != 0 && slash + 1 != value.size() &&
                                   value.find_first_of(" ;,\t") == std::string_view::npos &&
                                   std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7F; });
                 return good ? "" : fmt::format("{} is not a media type", quote(value));
               }});
}

Value<std::vector<ContentCoding>> codings() {
  return list(one_of<ContentCoding>(
                  {{"zstd", ContentCoding::Zstd}, {"br", ContentCoding::Brotli}, {"gzip", ContentCoding::Gzip}}),
              {.min = 1, .max = 3, .single = Single::Alone});
}

}  // namespace

Value<Compression> compression_kind() {
  return shortened(
      section<Compression>(
          {
              .name = "compression",
              .title = "Compression",
              .doc =
                  "Responses compressed on their way to clients that accept it. What is compressed already, a part of "
                  "something, or marked `Cache-Control: no-transform` is left alone.",
              .properties =
                  {
                      {.name = "codings",
                       .doc = "The codings, in the order that decides where a client likes several the same.",
                       .example = "[br, gzip]",
                       .value = field(&Compression::codings, codings())},
                      {.name = "types",
                       .doc = "The media types that are compressed.",
                       .example = "[\"text/*\", application/json]",
                       .value = field(&Compression::types,
                                      list(media_type_pattern(), {.min = 1, .max = 100, .single = Single::Alone}))},
                      {.name = "minimum",
                       .doc = "A body that is known to be shorter is sent as it is.",
                       .example = "4KiB",
                       .value = field(&Compression::minimum, size({.min = 0, .max = 1 * mib}))},
                      {.name = "gzip_level",
                       .doc = "How hard gzip tries, 1 to 9.",
                       .example = "1",
                       .value = field(&Compression::gzip_level, integer({.min = 1, .max = 9}))},
                      {.name = "brotli_level",
                       .doc =
                           "How hard br tries, 0 to 11; above 6 is for files compressed once, not for every response.",
                       .example = "5",
                       .value = field(&Compression::brotli_level, integer({.min = 0, .max = 11}))},
                      {.name = "zstd_level",
                       .doc = "How hard zstd tries, 1 to 19; above 9 as with br.",
                       .example = "1",
                       .value = field(&Compression::zstd_level, integer({.min = 1, .max = 19}))},
                      {.name = "streams_max",
                       .doc = "Responses that one worker compresses at once, each with at most 1.5 MiB of memory at "
                              "the levels "
                              "given by default; further ones are sent as they are.",
                       .example = "1000",
                       .value = field(&Compression::streams_max, integer({.min = 1, .max = 100'000}))},
                  },
              .finish =
                  [](Compression& compression, const Node& node, Decoder& decoder) {
                    for (auto each = compression.codings.begin(); each != compression.codings.end(); ++each) {
                      if (std::find(compression.codings.begin(), each, *each) != each) {
                        return decoder.error(node.mark_of("codings"), "codings: a coding stands here twice");
                      }
                    }
                  },
          }),
      &Compression::codings, codings());
}

}  // namespace ballast::config

// The schema of files served directly: the folder, and how what is in it is sent.
#include "config/schema_files.h"

#include <algorithm>

#include "config/kinds.h"
#include "config/section.h"

namespace ballast::config {
namespace {

bool is_visible(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

Value<std::string> header_value(std::string words) {
  return text({.words = std::move(words), .bytes_max = 512, .check = [](std::string_view value) -> std::string {
                 return is_visible(value) ? ""
                                          : fmt::format("{} has a character that a header cannot carry", quote(value));
               }});
}

// Relative to the root, which it cannot leave.
std::string inside_root(std::string_view value) {
  const std::string path = fmt::format("/{}/", value);
  if (!is_visible(value)) return fmt::format("{} has a control character", quote(value));
  if (path.find("/../") != std::string::npos || path.find("/./") != std::string::npos) {
    return fmt::format("{} must name a file below the root, without \".\" and \"..\"", quote(value));
  }
  return "";
}

Value<std::string> file_in_root() {
  return text({.words = "file below the root", .check = inside_root});
}

Value<std::string> file_name() {
  return text({.words = "name of a file", .bytes_max = 255, .check = [](std::string_view value) -> std::string {
                 if (value.empty() || value.find('/') != std::string_view::npos) {
                   return fmt::format("{} is not the name of a file in a folder", quote(value));
                 }
                 return inside_root(value);
               }});
}

Value<std::string> path_prefix() {
  return text({.words = "beginning of a path, such as /static", .check = [](std::string_view value) -> std::string {
                 const bool clean = std::ranges::all_of(value, [](char c) {
                   const auto byte = static_cast<unsigned char>(c);
                   return byte > 0x20 && byte < 0x7F && c != '?' && c != '#';
                 });
                 if (!value.starts_with('/') || !clean)
                   return fmt::format("{} must start with /, without ? and #", quote(value));
                 return "";
               }});
}

Value<std::string> ending() {
  return text({.words = "ending of a name, without its dot",
               .pattern = "[A-Za-z0-9_+-]{1,32}",
               .bytes_max = 32,
               .check = [](std::string_view value) -> std::string {
                 const bool plain = !value.empty() && std::ranges::all_of(value, [](char c) {
                   return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                          c == '+' || c == '-';
                 });
                 return plain ? ""
                              : fmt::format("{} is not the ending of a name; write it without its dot", quote(value));
               }});
}

Value<bool> on_off() {
  return one_of<bool>({{"on", true}, {"off", false}});
}

void finish_files(Files& files, const Node& node, Decoder& decoder) {
  for (auto file = files.precompressed.begin(); file != files.precompressed.end(); ++file) {
    if (std::find(files.precompressed.begin(), file, *file) != file) {
      return decoder.error(node.mark_of("precompressed"), "precompressed: a coding stands here twice");
    }
  }
}

}  // namespace

Value<Files> files_kind() {
  return section<Files>({
      .name = "files",
      .title = "Files",
      .doc =
          "Files of a folder, sent by the balancer itself: GET and HEAD, with ranges, entity-tags and dates. What lies "
          "outside of the root cannot be reached, neither by the path nor by symbolic links.",
      .properties =
          {
              {.name = "root",
               .doc =
                   "The folder, relative to this configuration file. It must be there. It is looked up anew for every "
                   "request, so a link to the current release may be switched at any time.",
               .example = "./public",
               .value = field(&Files::root, folder()),
               .required = true},
              {.name = "strip_prefix",
               .doc = "What is taken off the request's path before it names a file: with `/static`, `/static/a.css` is "
                      "the file `a.css`. Other paths are not found.",
               .example = "/static",
               .value = field(&Files::strip_prefix, path_prefix()),
               .default_words = "nothing"},
              {.name = "index",
               .doc = "The file that is sent for a folder; of several the first that is there.",
               .example = "[index.html, index.htm]",
               .value = field(&Files::index, list(file_name(), {.max = 10, .single = Single::Alone})),
               .default_words = "index.html"},
              {.name = "fallback",
               .doc = "The file that is sent with status 200 instead of a page that is not there: the start of an "
                      "application that has its routes in the browser. For requests that accept `text/html`, or whose "
                      "last segment has no dot: a script that is missing stays a 404. Sent with `Cache-Control: "
                      "no-cache`.",
               .example = "/index.html",
               .value = field(&Files::fallback, file_in_root()),
               .default_words = "none"},
              {.name = "not_found",
               .doc = "The file that is the page of a 404.",
               .example = "/404.html",
               .value = field(&Files::not_found, file_in_root()),
               .default_words = "a line of text"},
              {.name = "precompressed",
               .doc = "Codings whose files lie beside the plain ones (`site.css.br`, `.gz`, `.zst`) and are sent to "
                      "clients "
                      "that accept them. The order decides where a client likes several the same.",
               .example = "[br, gzip]",
               .value = field(&Files::precompressed, list(one_of<ContentCoding>({{"br", ContentCoding::Brotli},
                                                                                 {"gzip", ContentCoding::Gzip},
                                                                                 {"zstd", ContentCoding::Zstd}}),
                                                          {.max = 3, .single = Single::Alone})),
               .default_words = "none"},
              {.name = "cache_control",
               .doc = "The `Cache-Control` header of the files.",
               .example = "\"public, max-age=31536000, immutable\"",
               .value = field(&Files::cache_control, header_value("value of Cache-Control")),
               .default_words = "none is sent"},
              {.name = "charset",
               .doc = "The charset that is said of text. Empty: none.",
               .example = "iso-8859-1",
               .value = field(&Files::charset, text({.words = "charset",
                                                     .pattern = "[A-Za-z0-9_.:+-]*",
                                                     .bytes_max = 40,
                                                     .check = [](std::string_view value) -> std::string {
                                                       return value.find_first_of(" ;,\"\\\t\r\n") ==
                                                                          std::string_view::npos &&
                                                                      is_visible(value)
                                                                  ? ""
                                                                  : fmt::format("{} is not a charset", quote(value));
                                                     }}))},
              {.name = "types",
               .doc = "Media types by the ending of a name, for endings that are not known here, or differently.",
               .example = "{ usdz: model/vnd.usdz+zip }",
               .value = field(&Files::types, texts_by_name({.words = "endings to media types",
                                                            .name = ending(),
                                                            .value = header_value("media type"),
                                                            .max = 200})),
               .default_words = "none"},
              {.name = "listing",
               .doc = "Whether a folder without an index is answered with a page that lists it.",
               .example = "on",
               .value = field(&Files::listing, on_off())},
              {.name = "hidden",
               .doc =
                   "Whether files and folders are sent whose names begin with a dot, such as `.git`. `.well-known` is "
                   "always.",
               .example = "on",
               .value = field(&Files::hidden, on_off())},
          },
      .finish = finish_files,
  });
}

}  // namespace ballast::config

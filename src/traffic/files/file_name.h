// What a request's path means as the name of a file below a root: decoded once, and held to what an honest client
// sends.
//
// Pure. This is the first of two walls: the second is the kernel's (io/folder.h), which lets nobody out of the root
// whatever the name says.
//
//   segment of the path, decoded                                             becomes
//   empty ("//")                                                             nothing: slashes count once
//   "." or ".."; a NUL, control byte, '\' or encoded '/'; bytes that are     Refused
//     not UTF-8 (overlong forms, surrogates); a '%' without two hex digits
//   one that begins with a dot (but .well-known, RFC 8615, at the front)     Refused, unless hidden files are served
//   over 255 bytes, or all over 4000: no file can be called so               NotFound
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace ballast::traffic {

enum class HiddenFiles : std::uint8_t { Refused, Served };

struct FileName {
  enum class Verdict : std::uint8_t { Good, NotFound, Refused };
  Verdict verdict = Verdict::Good;
  std::string name;        // relative, '/' between its parts, none at the ends; empty: the root itself
  bool is_folder = false;  // the path ended with a slash
};

struct NameRules {
  Bytes strip_prefix = {};  // "/static": taken off at a segment's end; a path without it is NotFound
  HiddenFiles hidden = HiddenFiles::Refused;
};

// `path` is without the query, as sent.
FileName file_name_of(Bytes path, const NameRules& rules);

// The other way: `name` as a path, with what may not stand in one percent-encoded. Slashes stay.
void append_path_of(std::string& out, Bytes name);

// Whether all of it is UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF.
bool is_utf8(Bytes text);

}  // namespace ballast::traffic

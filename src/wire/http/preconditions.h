// Preconditions of a request (RFC 9110 13): whether what the client has is still the truth.
//
// Pure functions over a request's fields and what is known of the representation it asks for. A list of tags that is
// not one names nothing; a date that is none is as if it were not there.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::http {

// What a representation can be recognised by.
struct Validators {
  Bytes tag;                             // an entity-tag as it is sent, "\"abc\"" or "W/\"abc\""; empty: none
  std::optional<std::int64_t> modified;  // the Last-Modified that is sent, seconds since 1970
  std::int64_t now = 0;                  // the Date that is sent
};

enum class Verdict : std::uint8_t {
  Proceed,
  NotModified,  // 304
  Failed,       // 412
};

enum class Access : std::uint8_t { Read, Write };  // GET and HEAD are Read

// In the order of 13.2.2: If-Match, else If-Unmodified-Since; If-None-Match, else If-Modified-Since.
Verdict judge(const Fields& fields, const Validators& validators, Access access);

// If-Range (13.1.5): false where a Range is to be ignored, because what the client has a part of has changed. A tag has
// to be strong; a date has to be the Last-Modified, from at least a second before the Date (8.8.2.2).
bool range_applies(const Fields& fields, const Validators& validators);

enum class Comparison : std::uint8_t { Strong, Weak };  // 8.8.3.2
// Whether the list, `*` or entity-tags, has this one; none where it is not such a list. The empty tag is that of
// something that is not there, which not even `*` names.
std::optional<bool> tag_list_has(Bytes list, Bytes tag, Comparison comparison);

}  // namespace ballast::http

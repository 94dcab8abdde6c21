// Desync: how much a message may leave open before it is refused. Two programs on a message's way that read it
// differently disagree about where it ends, and what one takes for a body is the next request for the other.
//
//   class       monitor                                defensive        strictest
//   acceptable  passed and counted                     passed, counted  refused
//   ambiguous   passed where one safe reading is left  refused          refused
//   severe      refused                                refused          refused
//   limit       refused                                refused          refused
//
// Whatever is passed is written afresh: what leaves is one message in the words of RFC 9112, whatever came in. An
// ambiguous one that is passed ends its connection, so that no byte behind it is ever read as another message.
// The table of classes stands in desync.cc, what a safe reading is in normalise.h, and for people in
// docs/guide/desync.md. Source: RFC 9112 2.2, 5, 6.3, 11.2.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/http/message.h"

namespace ballast::http {

enum class Strictness : std::uint8_t { Monitor, Defensive, Strictest };

enum class DefectClass : std::uint8_t {
  None,
  Acceptable,  // nobody reads it in another way, or RFC 9112 allows it; seldom sent in good faith
  Ambiguous,   // some readers mend it, others read it differently
  Severe,      // a means of attack, or no message at all
  Limit,       // nothing is wrong but its size
};

DefectClass class_of(Defect defect);
std::string_view to_string(DefectClass defect_class);  // "ambiguous"; "" for None

}  // namespace ballast::http

// What the monitor mode makes of a head that the strict parser has refused: where one safe reading is left, the head in
// the words of RFC 9112, judged again by the same parser; else the refusal stands.
//
//   defect                     its one reading                            and only where
//   bare_lf                    the line's end                             every line of the head ends so; not chunked
//   obs_fold                   a space                                    not of a framing field; no body; the line
//                                                                         has more than white space
//   bad_header_value           a space for each control byte              not of a framing field; no body
//   repeated_content_length    once                                       the same digits
//   bad_content_length "5, 5"  once                                       the same digits
//   repeated_host              once                                       the same
//   bad_target                 percent-encoded bytes beyond ASCII         in a path and its query
//   space_before_colon         nothing (RFC 9112 5.1)                     of a response; not of a framing field
//
// No body: a request with one is another reader's request behind it, should that reader find a framing field where we
// find none. NUL, a bare CR and everything else about framing has no safe reading. Bounded: a head within its limits,
// and few repairs. Pure.
#pragma once

#include <cstddef>

#include "base/buffer.h"
#include "wire/http/parse.h"

namespace ballast::http {

struct Normalised {
  // Complete: `text` is the head in order and the message's head was parsed from it; its oddity is what was wrong, and
  // its connection is not to be kept. NeedMore: the head has not come whole.
  Progress progress = Progress::Failed;
  std::size_t size = 0;  // of the head as it was received
};

// `refusal` is the strict parser's of `input`.
Normalised normalise(Bytes input, const Outcome& refusal, const HeadLimits& limits, Buffer& text, RequestHead& head);
Normalised normalise(Bytes input, const Outcome& refusal, const HeadLimits& limits, ResponseParser::Question question,
                     Buffer& text, ResponseHead& head);

}  // namespace ballast::http

// Fuzzes ResponseParser: a response has one verdict wherever it is cut, and one that is accepted, written afresh and
// read again, means what it meant. The first two bytes of the input choose the limits, what was asked and
// the cuts.
//
// The canary's rewriting loses a space at the beginning of the reason.
#include <cstdint>
#include <random>
#include <string>

#include "require.h"
#include "wire/http/cut_everywhere.h"
#include "wire/http/head_writer.h"
#include "wire/http/octets.h"
#include "wire/http/parse.h"

namespace {

using namespace ballast;
using namespace ballast::http;
using ballast::fuzz::require;

HeadLimits limits_of(std::uint8_t choice) {
  return choice % 4 == 0 ? HeadLimits{.line = 20, .header = 32, .head = 90, .header_count = 3} : HeadLimits{};
}

ResponseParser::Question question_of(std::uint8_t choice) {
  return {.to_head = (choice & 16) != 0, .to_connect = (choice & 32) != 0};
}

void check_accepted(const ResponseHead& head, const HeadLimits& limits, ResponseParser::Question question) {
  require(head.size <= limits.head, "a head is within its limit");
  require(head.status >= 100 && head.status <= 599, "a status is of one of five classes");
  const bool bodiless = question.to_head || head.status < 200 || head.status == 204 || head.status == 304;
  require(!bodiless || head.framing == Framing::None, "what has no body has none");
  require(head.framing != Framing::UntilClose || !head.keep_alive, "a body that ends with its connection ends it");
  require(head.framing != Framing::Length || head.has_content_length, "a length was stated");
  require(!head.keep_alive_seconds || *head.keep_alive_seconds >= 0, "time goes forward");
  for (const char byte : head.reason()) require(is_value_octet(byte), "a reason has no control bytes");
  int lengths = 0;
  int codings = 0;
  for (const Field& field : head.fields) {
    for (const char byte : head.fields.name(field)) require(is_token_octet(byte), "a name is a token");
    for (const char byte : head.fields.value(field)) require(is_value_octet(byte), "a value has no control bytes");
    lengths += field.id == HeaderId::ContentLength ? 1 : 0;
    codings += field.id == HeaderId::TransferEncoding ? 1 : 0;
  }
  require(lengths + codings <= 1, "one field frames the body");
  require(head.has_content_length == (lengths == 1), "a length is stated by its field");
}

void check_rewritten(const ResponseHead& head, ResponseParser::Question question) {
  Bytes reason = head.reason();
#ifdef BALLAST_CANARY
  if (reason.size() > 1 && reason.front() == ' ') reason.remove_prefix(1);
#endif
  Buffer out;
  HeadWriter writer(out);
  writer.status_line(head.status, reason);
  for (const Field& field : head.fields) writer.field(head.fields.name(field), head.fields.value(field));
  writer.end();

  static ResponseHead again;
  constexpr HeadLimits wide{.line = mib, .header = mib, .head = mib, .header_count = fields_max};
  const Outcome outcome = ResponseParser::parse(out.view(), wide, question, again);
  require(outcome.progress == Progress::Complete, "what was written is accepted");
  require(again.size == out.size(), "and is all of it");
  require(again.status == head.status, "the same status");
  require(again.reason() == (head.reason().empty() ? standard_reason(head.status) : head.reason()), "the same reason");
  require(again.framing == head.framing && again.content_length == head.content_length, "the same framing");
  require(again.keep_alive_seconds == head.keep_alive_seconds, "the same idle time");
  require(head.minor_version == 0 || again.keep_alive == head.keep_alive, "the same wish for the connection");
  require(again.fields.count() == head.fields.count(), "the same number of fields");
  for (int i = 0; i < head.fields.count(); ++i) {
    const Field& was = head.fields.at(i);
    const Field& is = again.fields.at(i);
    require(was.id == is.id && head.fields.name(was) == again.fields.name(is), "the same names");
    require(head.fields.value(was) == again.fields.value(is), "the same values");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const HeadLimits limits = limits_of(data[0]);
  const ResponseParser::Question question = question_of(data[0]);
  const Bytes input(reinterpret_cast<const char*>(data + 2), size - 2);
  static ResponseHead head;
  const auto parse = [&](Bytes bytes) {
    const Outcome outcome = ResponseParser::parse(bytes, limits, question, head);
    return Judged{outcome, head.size};
  };
  const Judged judged = parse(input);
  if (judged.outcome.progress == Progress::Complete) {
    check_accepted(head, limits, question);
    check_rewritten(head, question);
  }
  // A few cuts an input, always as many: with every cut the counts of what ran, by which the fuzzer tells a new input,
  // would differ with each length, and it would keep inputs for that.
  std::minstd_rand random(data[1]);
  for (int cut = 0; cut < 4; ++cut) {
    const std::string difference = difference_at_cut(input, judged, random() % (input.size() + 1), parse);
    require(difference.empty(), difference);
  }
  return 0;
}

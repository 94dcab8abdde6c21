// Fuzzes RequestParser: a request has one verdict wherever it is cut, and one that is accepted, written afresh and read
// again, means what it meant. The first two bytes of the input choose the limits and the cuts.
//
// The canary's rewriting loses a '?' with nothing behind it.
#include <cstdint>
#include <random>
#include <string>

#include "require.h"
#include "wire/http/cut_everywhere.h"
#include "wire/http/head_writer.h"
#include "wire/http/hop_by_hop.h"
#include "wire/http/octets.h"
#include "wire/http/parse.h"

namespace {

using namespace ballast;
using namespace ballast::http;
using ballast::fuzz::require;

HeadLimits limits_of(std::uint8_t choice) {
  switch (choice % 4) {
    case 0:
      return {.line = 24, .header = 32, .head = 100, .header_count = 3};
    case 1:
      return {.line = 16 * kib, .header = 20, .head = 64 * kib, .header_count = 5};
    default:
      return {};
  }
}

void check_accepted(const RequestHead& head, const HeadLimits& limits) {
  require(head.size <= limits.head, "a head is within its limit");
  require(head.fields.count() <= limits.header_count, "so is the number of its fields");
  require(!head.method().empty() && !head.target().empty(), "there is a method and a target");
  require(head.minor_version == 0 || !head.authority().empty(), "an HTTP/1.1 request has an authority");
  require(head.authority().starts_with(head.host()), "the host is the beginning of the authority");
  require(!(head.wants_upgrade && (head.framing == Framing::Chunked || head.content_length > 0)),
          "an upgrade has no body");
  require(head.framing != Framing::UntilClose, "a request's body has an end");
  int lengths = 0;
  int codings = 0;
  for (const Field& field : head.fields) {
    for (const char byte : head.fields.name(field)) require(is_token_octet(byte), "a name is a token");
    for (const char byte : head.fields.value(field)) require(is_value_octet(byte), "a value has no control bytes");
    const Bytes value = head.fields.value(field);
    require(value.empty() || (!is_space(value.front()) && !is_space(value.back())), "a value is trimmed");
    lengths += field.id == HeaderId::ContentLength ? 1 : 0;
    codings += field.id == HeaderId::TransferEncoding ? 1 : 0;
  }
  require(lengths + codings <= 1, "one field frames the body");
  require(head.framing == (lengths == 1   ? Framing::Length
                           : codings == 1 ? Framing::Chunked
                                          : Framing::None),
          "and decides how");
  const HopByHop hop(head.fields);
  for (const Field& field : head.fields) {
    if (field.id == HeaderId::Host || field.id == HeaderId::ContentLength) {
      require(!hop.contains(field), "nobody names Host or Content-Length away");
    }
  }
}

void check_rewritten(const RequestHead& head) {
  std::string target(head.target());
#ifdef BALLAST_CANARY
  if (head.has_query() && head.query().empty()) target.pop_back();
#endif
  Buffer out;
  HeadWriter writer(out);
  writer.request_line(head.method(), target);
  for (const Field& field : head.fields) writer.field(head.fields.name(field), head.fields.value(field));
  // What is written is always HTTP/1.1, which has a Host; for an HTTP/1.0 request its sender adds one.
  const bool adds_host = head.fields.find(HeaderId::Host) == nullptr;
  if (adds_host) writer.field("Host", "added");
  writer.end();

  static RequestHead again;
  constexpr HeadLimits wide{.line = mib, .header = mib, .head = mib, .header_count = fields_max};
  const Outcome outcome = RequestParser::parse(out.view(), wide, again);
  if (head.minor_version == 0 && outcome.defect == Defect::UpgradeWithBody) return;  // HTTP/1.0 has no upgrade
  require(outcome.progress == Progress::Complete, "what was written is accepted");
  require(again.size == out.size(), "and is all of it");
  require(again.method() == head.method(), "the same method");
  require(again.target() == head.target(), "the same target");
  require(again.path() == head.path() && again.query() == head.query(), "the same path and query");
  require(head.authority().empty() || again.authority() == head.authority(), "the same authority");
  require(again.framing == head.framing && again.content_length == head.content_length, "the same framing");
  require(again.fields.count() == head.fields.count() + (adds_host ? 1 : 0), "the same number of fields");
  for (int i = 0; i < head.fields.count(); ++i) {
    const Field& was = head.fields.at(i);
    const Field& is = again.fields.at(i);
    require(was.id == is.id && head.fields.name(was) == again.fields.name(is), "the same names");
    require(head.fields.value(was) == again.fields.value(is), "the same values");
  }
  if (head.minor_version == 1) {
    require(again.keep_alive == head.keep_alive && again.wants_upgrade == head.wants_upgrade &&
                again.expects_continue == head.expects_continue,
            "the same wishes for the connection");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const HeadLimits limits = limits_of(data[0]);
  const Bytes input(reinterpret_cast<const char*>(data + 2), size - 2);
  static RequestHead head;
  const auto parse = [&](Bytes bytes) {
    const Outcome outcome = RequestParser::parse(bytes, limits, head);
    return Judged{outcome, head.size};
  };
  const Judged judged = parse(input);
  if (judged.outcome.progress == Progress::Complete) {
    check_accepted(head, limits);
    check_rewritten(head);
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

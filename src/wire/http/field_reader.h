// The field lines of a head, read strictly; internal to the request and the response parser.
//
// A line is judged from left to right, so that the first byte no valid message can have decides, however much of the
// rest has come: a head cut anywhere gives the verdict of the whole one, or NeedMore. Only a CR is judged with the byte
// behind it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "wire/http/authority.h"
#include "wire/http/message.h"
#include "wire/http/octets.h"
#include "wire/http/parse.h"
#include "wire/http/scan.h"

namespace ballast::http {

// What was found at a byte: Complete (then `at` is behind what was read), NeedMore, or a defect there.
struct Finding {
  Progress progress = Progress::Complete;
  Defect defect = Defect::None;
  const char* at = nullptr;
};

inline Finding found(const char* at) {
  return {Progress::Complete, Defect::None, at};
}
inline Finding need_more() {
  return {Progress::NeedMore, Defect::None, nullptr};
}
inline Finding refused(Defect defect, const char* at) {
  return {Progress::Failed, defect, at};
}

// A byte that stands where it must not: line ends and NUL have a defect of their own, all else is `otherwise`.
inline Finding stray(const char* at, const char* end, Defect otherwise) {
  switch (*at) {
    case '\n':
      return refused(Defect::BareLf, at);
    case '\0':
      return refused(Defect::NulByte, at);
    case '\r':
      if (end - at < 2) return need_more();
      return refused(at[1] == '\n' ? otherwise : Defect::BareCr, at);
    default:
      return refused(otherwise, at);
  }
}

// Where a line must have ended: its limit, or the end of what came.
inline const char* line_bound(const char* line, const char* end, std::size_t limit) {
  return line + std::min(static_cast<std::size_t>(end - line), limit);
}

inline bool is_line_end(const char* at, const char* end) {
  return end - at >= 2 && at[0] == '\r' && at[1] == '\n';
}

// A field line as it is being read: the value runs from `value` to `stop`, with the white space behind it. When not
// complete, more of the value may follow, or a byte at `stop` that will be refused.
struct FieldLine {
  const char* colon = nullptr;
  const char* value = nullptr;
  const char* stop = nullptr;
  bool complete = false;
};

// What a reading of a whole value comes to, white space behind it allowed.
inline Finding settle(const FieldLine& line, Reading reading, Defect defect) {
  if (reading.at != line.stop && reading.whole) reading.at = skip_space(reading.at, line.stop);
  if (reading.at != line.stop) return refused(defect, reading.at);
  if (line.complete && !reading.whole) return refused(defect, line.stop);
  return found(line.stop);
}

// Why the name scan or the value scan stopped short: off the ordinary way.
Finding refuse_name(const char* line, const char* at, const char* bound, const char* end);
Finding refuse_value(const char* at, const char* bound, const char* end);

// Reads field lines up to and with the empty line. Meaning has
//   static constexpr std::uint32_t ids: a bit for each HeaderId it wants to see,
//   Finding take(HeaderId, const FieldLine&): also for incomplete lines,
//   Finding finish(const char* lf): at the LF of the empty line.
template <typename Meaning>
Finding read_fields(const char* at, const char* end, const HeadLimits& limits, Fields& fields, Meaning& meaning) {
  const char* base = fields.base();
  const int count_max = std::min(limits.header_count, fields_max);
  for (;;) {
    if (at == end) return need_more();
    if (*at == '\r') {
      if (end - at < 2) return need_more();
      if (at[1] != '\n') return refused(Defect::BareCr, at);
      const Finding finding = meaning.finish(at + 1);
      return finding.progress == Progress::Complete ? found(at + 2) : finding;
    }
    if (is_space(*at)) return refused(Defect::ObsFold, at);
    if (fields.count() >= count_max) return refused(Defect::TooManyHeaders, at);

    const char* bound = line_bound(at, end, limits.header);
    FieldLine line;
    line.colon = scan_name(at, bound);
    const auto name_size = static_cast<std::size_t>(line.colon - at);
    if (line.colon == bound || *line.colon != ':' || name_size - 1 >= UINT16_MAX) {
      return refuse_name(at, line.colon, bound, end);
    }
    const HeaderId id = header_id({at, name_size});
    line.value = skip_space(line.colon + 1, bound);
    line.stop = scan_value(line.value, bound);
    line.complete = is_line_end(line.stop, end);
    if ((Meaning::ids >> static_cast<unsigned>(id)) & 1U) {
      const Finding finding = meaning.take(id, line);
      if (finding.progress != Progress::Complete) return finding;
    }
    if (!line.complete) return refuse_value(line.stop, bound, end);

    const char* value_end = trim_space(line.value, line.stop);
    fields.add({.name_at = static_cast<std::uint32_t>(at - base),
                .value_at = static_cast<std::uint32_t>(line.value - base),
                .value_size = static_cast<std::uint32_t>(value_end - line.value),
                .name_size = static_cast<std::uint16_t>(name_size),
                .id = id});
    at = line.stop + 2;
  }
}

// The whole of a parse: `reader(end)` reads with the head's limit in place of the end where that comes first.
template <typename Reader>
Outcome read_head(Bytes input, const HeadLimits& limits, const Reader& reader) {
  // Positions are 32 bits; no configuration allows heads of gigabytes, this only keeps the arithmetic true if one did.
  constexpr std::size_t head_max = 1U << 30;
  const std::size_t head = std::min(limits.head, head_max);
  const Finding finding = reader(input.data() + std::min(input.size(), head));
  switch (finding.progress) {
    case Progress::Complete:
      return {.progress = Progress::Complete};
    case Progress::Failed:
      return {Progress::Failed, finding.defect, static_cast<std::uint32_t>(finding.at - input.data())};
    case Progress::NeedMore:
      break;
  }
  if (input.size() > head) return {Progress::Failed, Defect::HeadTooLarge, static_cast<std::uint32_t>(head)};
  return {.progress = Progress::NeedMore};
}

}  // namespace ballast::http

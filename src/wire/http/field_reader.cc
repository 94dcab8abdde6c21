#include "wire/http/field_reader.h"

namespace ballast::http {

Finding refuse_name(const char* line, const char* at, const char* bound, const char* end) {
  if (at - line > UINT16_MAX) return refused(Defect::HeaderTooLarge, line + UINT16_MAX);
  if (at == end) return need_more();
  if (at == bound && *at != '\r') return refused(Defect::HeaderTooLarge, at);
  if (is_space(*at)) return refused(Defect::SpaceBeforeColon, at);
  return stray(at, end, Defect::BadHeaderName);
}

Finding refuse_value(const char* at, const char* bound, const char* end) {
  if (at == end) return need_more();
  if (at == bound && *at != '\r') return refused(Defect::HeaderTooLarge, at);
  return stray(at, end, Defect::BadHeaderValue);
}

}  // namespace ballast::http

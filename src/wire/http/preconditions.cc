#include "wire/http/preconditions.h"

#include "wire/http/http_date.h"
#include "wire/http/list.h"

namespace ballast::http {
namespace {

bool is_weak(Bytes tag) {
  return tag.starts_with("W/");
}

Bytes opaque(Bytes tag) {
  return is_weak(tag) ? tag.substr(2) : tag;
}

bool same_tag(Bytes left, Bytes right, Comparison comparison) {
  if (comparison == Comparison::Strong && (is_weak(left) || is_weak(right))) return false;
  return opaque(left) == opaque(right);
}

// Takes an entity-tag from the front; empty where there is none.
Bytes take_tag(Bytes& text) {
  const std::size_t prefix = is_weak(text) ? 2 : 0;
  if (text.size() <= prefix || text[prefix] != '"') return {};
  std::size_t at = prefix + 1;
  while (at < text.size() && text[at] != '"') {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte <= 0x20 || byte == 0x7f) return {};  // etagc has neither spaces nor control bytes
    ++at;
  }
  if (at == text.size()) return {};
  const Bytes tag = text.substr(0, at + 1);
  text.remove_prefix(tag.size());
  return tag;
}

void skip(Bytes& text, Bytes bytes) {
  const std::size_t at = text.find_first_not_of(bytes);
  text.remove_prefix(at == Bytes::npos ? text.size() : at);
}

// All fields of a name as the one list they are (RFC 9110 5.3); none where there is no such field.
std::optional<bool> tags_have(const Fields& fields, Bytes name, Bytes tag, Comparison comparison) {
  std::optional<bool> found;
  for (const Field& field : fields) {
    if (!iequals(fields.name(field), name)) continue;
    found = found.value_or(false) || tag_list_has(fields.value(field), tag, comparison).value_or(false);
  }
  return found;
}

std::optional<std::int64_t> date_of(const Fields& fields, Bytes name, std::int64_t now) {
  const Field* field = fields.find(name);
  return field != nullptr ? parse_http_date(fields.value(*field), now) : std::nullopt;
}

}  // namespace

std::optional<bool> tag_list_has(Bytes list, Bytes tag, Comparison comparison) {
  if (list == "*") return !tag.empty();
  bool found = false;
  bool any = false;
  while (true) {
    skip(list, " \t,");
    if (list.empty()) break;
    const Bytes one = take_tag(list);
    if (one.empty()) return std::nullopt;
    any = true;
    found = found || (!tag.empty() && same_tag(one, tag, comparison));
    skip(list, " \t");
    if (!list.empty() && list.front() != ',') return std::nullopt;
  }
  return any ? std::optional(found) : std::nullopt;
}

Verdict judge(const Fields& fields, const Validators& validators, Access access) {
  if (const auto has = tags_have(fields, "If-Match", validators.tag, Comparison::Strong)) {
    if (!*has) return Verdict::Failed;
  } else if (validators.modified.has_value()) {
    const auto since = date_of(fields, "If-Unmodified-Since", validators.now);
    if (since.has_value() && *validators.modified > *since) return Verdict::Failed;
  }
  if (const auto has = tags_have(fields, "If-None-Match", validators.tag, Comparison::Weak)) {
    if (*has) return access == Access::Read ? Verdict::NotModified : Verdict::Failed;
  } else if (validators.modified.has_value() && access == Access::Read) {
    const auto since = date_of(fields, "If-Modified-Since", validators.now);
    if (since.has_value() && *validators.modified <= *since) return Verdict::NotModified;
  }
  return Verdict::Proceed;
}

bool range_applies(const Fields& fields, const Validators& validators) {
  const Field* field = fields.find("If-Range");
  if (field == nullptr) return true;
  Bytes value = fields.value(*field);
  if (const Bytes tag = take_tag(value); !tag.empty()) {
    return value.empty() && !validators.tag.empty() && same_tag(tag, validators.tag, Comparison::Strong);
  }
  const auto date = parse_http_date(value, validators.now);
  return date.has_value() && validators.modified == date && *date < validators.now;
}

}  // namespace ballast::http

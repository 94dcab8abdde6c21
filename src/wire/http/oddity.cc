#include "wire/http/oddity.h"

#include <algorithm>

#include "wire/http/list.h"
#include "wire/http/octets.h"

namespace ballast::http {
namespace {

bool is_capital(char byte) {
  return byte >= 'A' && byte <= 'Z';
}
bool is_letter(char byte) {
  return is_capital(static_cast<char>(byte & ~0x20));
}
bool is_usual_in_method(char byte) {
  return is_capital(byte) || is_digit(byte) || byte == '-' || byte == '_';
}
bool is_usual_in_name(char byte) {
  return is_letter(byte) || is_digit(byte) || byte == '-';
}
// Of RFC 3986 without '#' and '%'. '[' and ']' stand in the queries of many programs; elsewhere than in an authority
// they mean nothing.
bool is_uri_byte(char byte) {
  return is_letter(byte) || is_digit(byte) || Bytes("-._~:/?[]@!$&'()*+,;=").find(byte) != Bytes::npos;
}
bool is_beyond_ascii(char byte) {
  return (static_cast<unsigned char>(byte) & 0x80U) != 0;
}
int digit_of(char byte) {
  return is_digit(byte) ? byte - '0' : (byte | 0x20) - 'a' + 10;
}

const char* odd_in_target(Bytes target) {
  const char* end = target.data() + target.size();
  for (const char* at = target.data(); at != end; ++at) {
    if (*at != '%') {
      if (!is_uri_byte(*at)) return at;
      continue;
    }
    if (end - at < 3 || !is_hex_digit(at[1]) || !is_hex_digit(at[2])) return at;
    const int value = digit_of(at[1]) * 16 + digit_of(at[2]);
    if (value < 0x20 || value == 0x7f) return at;
  }
  return nullptr;
}

// The first of what was found, by its place.
class First {
 public:
  explicit First(const char* base) : base_(base) {}
  void take(Defect defect, const char* at) {
    const auto offset = static_cast<std::uint64_t>(at - base_);
    if (flaw_.defect == Defect::None || offset < flaw_.offset) flaw_ = {defect, offset};
  }
  Flaw flaw() const { return flaw_; }

 private:
  const char* base_;
  Flaw flaw_;
};

void look_at_fields(const Fields& fields, Strictness strictness, First& first) {
  for (const Field& field : fields) {
    const Bytes value = fields.value(field);
    if (field.id == HeaderId::ContentLength && value.size() > 1 && value.front() == '0') {
      first.take(Defect::PaddedNumber, value.data());
    }
    if (strictness == Strictness::Defensive) continue;
    const Bytes name = fields.name(field);
    if (const auto* odd = std::ranges::find_if_not(name, is_usual_in_name); odd != name.end()) {
      first.take(Defect::UnusualHeaderName, odd);
    }
    if (const auto* odd = std::ranges::find_if(value, is_beyond_ascii); odd != value.end()) {
      first.take(Defect::ObsText, odd);
    }
  }
}

}  // namespace

bool expects_no_body(Bytes method) {
  return method == "GET" || method == "HEAD" || method == "DELETE";
}

Flaw find_oddity(const RequestHead& head, Strictness strictness) {
  First first(head.fields.base());
  const Bytes method = head.method();
  const Bytes target = head.target();
  if (strictness != Strictness::Defensive) {
    if (const auto* odd = std::ranges::find_if_not(method, is_usual_in_method); odd != method.end()) {
      first.take(Defect::UnusualMethod, odd);
    }
    if (const char* odd = odd_in_target(target); odd != nullptr) first.take(Defect::UnusualTarget, odd);
  }
  const bool has_body = head.framing == Framing::Chunked || head.content_length != 0;
  if (has_body && expects_no_body(method)) {
    const Field* field = head.fields.find(HeaderId::ContentLength);
    if (field == nullptr) field = head.fields.find(HeaderId::TransferEncoding);
    if (field != nullptr) first.take(Defect::UnexpectedBody, head.fields.name(*field).data());
  }
  if (const Field* host = head.fields.find(HeaderId::Host); host != nullptr) {
    const Bytes value = head.fields.value(*host);
    if (!iequals(value, head.authority())) first.take(Defect::HostMismatch, value.data());
  }
  look_at_fields(head.fields, strictness, first);
  return first.flaw();
}

Flaw find_oddity(const ResponseHead& head, Strictness strictness) {
  First first(head.fields.base());
  const char* reason = head.reason().data();
  if (head.reason().empty() && reason[-1] != ' ') first.take(Defect::BareStatusLine, reason);
  if (strictness != Strictness::Defensive) {
    const Bytes text = head.reason();
    if (const auto* odd = std::ranges::find_if(text, is_beyond_ascii); odd != text.end()) {
      first.take(Defect::ObsText, odd);
    }
  }
  if (head.has_content_length && (head.status < 200 || head.status == 204)) {
    if (const Field* field = head.fields.find(HeaderId::ContentLength); field != nullptr) {
      first.take(Defect::LengthOfNothing, head.fields.name(*field).data());
    }
  }
  look_at_fields(head.fields, strictness, first);
  return first.flaw();
}

}  // namespace ballast::http

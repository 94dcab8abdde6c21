#include "admin/api/errors.h"

#include "admin/api/documents.h"

namespace ballast::admin {

namespace {

struct Meaning {
  int status;
  std::string_view word;
};

Meaning meaning(Code code) {
  switch (code) {
    case Code::Malformed:
      return {400, "malformed"};
    case Code::Denied:
      return {403, "denied"};
    case Code::NotFound:
      return {404, "not_found"};
    case Code::InUse:
      return {409, "in_use"};
    case Code::TooLarge:
      return {413, "too_large"};
    case Code::Invalid:
      return {422, "invalid"};
    case Code::Unsupported:
      return {501, "unsupported"};
    case Code::Exhausted:
      return {503, "exhausted"};
    case Code::TimedOut:
      return {504, "timed_out"};
    case Code::Closed:
      return {500, "closed"};
    case Code::Reset:
      return {500, "reset"};
    case Code::Refused:
      return {500, "refused"};
    case Code::Unreachable:
      return {500, "unreachable"};
    case Code::Cancelled:
      return {503, "cancelled"};
    case Code::System:
      return {500, "system"};
  }
  return {500, "system"};
}

}  // namespace

std::string_view code_word(Code code) {
  return meaning(code).word;
}

ApiResponse error_response(int status, std::string_view code, std::string_view text) {
  return ApiResponse{.status = status, .body = error_document(code, text)};
}

ApiResponse error_response(const Error& error) {
  // Nothing was done, and nothing is wrong but the moment.
  const Meaning is = error.retry() == Retry::Always ? Meaning{503, "busy"} : meaning(error.code());
  return error_response(is.status, is.word, error.text());
}

}  // namespace ballast::admin

#include "wire/http/head_writer.h"

#include <charconv>
#include <cstring>

namespace ballast::http {
namespace {

// Names and values are short: copies of up to 32 bytes as two overlapping words cost less than the call of memcpy.
inline char* put(char* out, Bytes bytes) {
  const char* from = bytes.data();
  const std::size_t size = bytes.size();
  const auto ends = [&]<std::size_t word>() {
    char first[word];
    char last[word];
    std::memcpy(first, from, word);
    std::memcpy(last, from + size - word, word);
    std::memcpy(out, first, word);
    std::memcpy(out + size - word, last, word);
  };
  if (size > 32) {
    std::memcpy(out, from, size);
  } else if (size >= 16) {
    ends.operator()<16>();
  } else if (size >= 8) {
    ends.operator()<8>();
  } else if (size >= 4) {
    ends.operator()<4>();
  } else if (size >= 2) {
    ends.operator()<2>();
  } else if (size == 1) {
    *out = *from;
  }
  return out + size;
}

}  // namespace

void HeadWriter::request_line(Bytes method, Bytes target) {
  constexpr Bytes version = " HTTP/1.1\r\n";
  const std::size_t size = method.size() + 1 + target.size() + version.size();
  char* out = put(out_.room(size), method);
  *out++ = ' ';
  put(put(out, target), version);
  out_.commit(size);
}

void HeadWriter::status_line(int status, Bytes reason) {
  CHECK(status >= 100 && status <= 999);
  if (reason.empty()) reason = standard_reason(status);
  constexpr Bytes version = "HTTP/1.1 ";
  const std::size_t size = version.size() + 4 + reason.size() + 2;
  char* out = put(out_.room(size), version);
  *out++ = static_cast<char>('0' + status / 100);
  *out++ = static_cast<char>('0' + status / 10 % 10);
  *out++ = static_cast<char>('0' + status % 10);
  *out++ = ' ';
  put(put(out, reason), "\r\n");
  out_.commit(size);
}

void HeadWriter::field(Bytes name, Bytes value) {
  const std::size_t size = name.size() + 2 + value.size() + 2;
  char* out = put(out_.room(size), name);
  *out++ = ':';
  *out++ = ' ';
  put(put(out, value), "\r\n");
  out_.commit(size);
}

void HeadWriter::field(Bytes name, std::uint64_t value) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  field(name, Bytes(digits, static_cast<std::size_t>(result.ptr - digits)));
}

Bytes standard_reason(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 102:
      return "Processing";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 208:
      return "Already Reported";
    case 226:
      return "IM Used";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 305:
      return "Use Proxy";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 506:
      return "Variant Also Negotiates";
    case 507:
      return "Insufficient Storage";
    case 508:
      return "Loop Detected";
    case 511:
      return "Network Authentication Required";
    default:
      return "Unknown";
  }
}

}  // namespace ballast::http

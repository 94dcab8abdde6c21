// The two formats of an access log line.
#include <cstdint>
#include <ctime>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "traffic/l7/access_log.h"
#include "wire/http/desync.h"

namespace ballast::traffic {
namespace {

// Bytes that JSON must escape; those from 0x80 on are sent on as they are when they are UTF-8, else as U+FFFD.
void append_escaped(Buffer& out, Bytes text) {
  std::size_t clean = 0;
  const auto flush_to = [&](std::size_t end) { out.append(text.substr(clean, end - clean)); };
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte < 0x7f) {
      ++i;
      continue;
    }
    flush_to(i);
    if (byte >= 0x80) {
      // A well-formed sequence of 2 to 4 bytes is passed on.
      const std::size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      bool valid = byte >= 0xc2 && byte <= 0xf4 && i + size <= text.size();
      for (std::size_t k = 1; valid && k < size; ++k) valid = (static_cast<unsigned char>(text[i + k]) & 0xc0U) == 0x80;
      if (valid && size == 3) {
        const auto second = static_cast<unsigned char>(text[i + 1]);
        valid = !(byte == 0xe0 && second < 0xa0) && !(byte == 0xed && second >= 0xa0);
      }
      if (valid && size == 4) {
        const auto second = static_cast<unsigned char>(text[i + 1]);
        valid = !(byte == 0xf0 && second < 0x90) && !(byte == 0xf4 && second >= 0x90);
      }
      out.append(valid ? text.substr(i, size) : Bytes("\\ufffd"));
      i += valid ? size : 1;
    } else {
      char escape[8];
      const auto end = fmt::format_to_n(escape, sizeof escape, FMT_COMPILE("\\u{:04x}"), byte);
      out.append({escape, end.size});
      ++i;
    }
    clean = i;
  }
  flush_to(text.size());
}

void append_text(Buffer& out, Bytes key, Bytes value) {
  out.append(key);
  append_escaped(out, value);
  out.append('"');
}

// The key only where there is something to say.
void append_some(Buffer& out, Bytes key, Bytes value) {
  if (!value.empty()) append_text(out, key, value);
}

void append_number(Buffer& out, Bytes key, std::uint64_t value) {
  out.append(key);
  const fmt::format_int digits(value);
  out.append({digits.data(), digits.size()});
}

// What was passed all the same: ,"request_oddity":"obs_fold","request_oddity_class":"ambiguous","request_oddity_at":31
void append_oddity(Buffer& out, Bytes side, const http::Flaw& oddity) {
  if (oddity.defect == http::Defect::None) return;
  const std::string_view name = http::to_string(oddity.defect);
  const std::string_view kind = to_string(http::class_of(oddity.defect));
  char text[192];
  const auto end =
      fmt::format_to_n(text, sizeof text, FMT_COMPILE(R"(,"{}_oddity":"{}","{}_oddity_class":"{}","{}_oddity_at":{})"),
                       side, name, side, kind, side, oddity.offset);
  out.append({text, end.size});
}

void append_ms(Buffer& out, Bytes key, std::int64_t us) {
  if (us < 0) return;
  char text[32];
  const auto end = fmt::format_to_n(text, sizeof text, FMT_COMPILE("{}.{:03}"), us / 1000, us % 1000);
  out.append(key);
  out.append({text, end.size});
}

// "2026-11-21T01:02:03.456Z"
void append_time(Buffer& out, std::chrono::system_clock::time_point at) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const auto end = fmt::format_to_n(text, sizeof text, FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
                                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                    parts.tm_sec, ms % 1000);
  out.append({text, end.size});
}

// Inside the quotes of a combined line, where quotes, backslashes and control bytes would break the line.
void append_quoted(Buffer& out, Bytes text) {
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x20 || value == 0x7f || byte == '"' || byte == '\\') {
      char escape[8];
      const auto end = fmt::format_to_n(escape, sizeof escape, FMT_COMPILE("\\x{:02X}"), value);
      out.append({escape, end.size});
    } else {
      out.append(byte);
    }
  }
}

// Outside quotes, where a blank ends it as well.
void append_word(Buffer& out, Bytes text) {
  for (std::size_t blank = text.find(' '); blank != Bytes::npos; blank = text.find(' ')) {
    append_quoted(out, text.substr(0, blank));
    out.append(Bytes("\\x20"));
    text.remove_prefix(blank + 1);
  }
  append_quoted(out, text);
}

Bytes protocol_of(const AccessRecord& record) {
  if (record.major_version == 2) return "HTTP/2.0";
  return record.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

}  // namespace

void write_json_line(Buffer& out, const AccessRecord& record) {
  out.append(Bytes(R"({"time":")"));
  append_time(out, record.at);
  out.append('"');
  append_text(out, R"(,"listener":")", record.listener);
  append_text(out, R"(,"client":")", record.client);
  append_some(out, R"(,"proxy":")", record.proxy);
  if (!record.layer4.empty()) {
    append_text(out, R"(,"protocol":")", record.layer4);
  } else {
    append_text(out, R"(,"method":")", record.method);
    append_text(out, R"(,"host":")", record.host);
    append_text(out, R"(,"path":")", record.path);
    append_some(out, R"(,"query":")", record.query);
    append_text(out, R"(,"protocol":")", protocol_of(record));
    append_number(out, R"(,"status":)", static_cast<std::uint64_t>(record.status));
  }
  append_some(out, R"(,"grpc_status":")", record.grpc_status);
  append_some(out, R"(,"reason":")", record.reason);
  append_some(out, R"(,"defect":")", record.defect);
  append_some(out, R"(,"defect_class":")", record.defect_class);
  if (record.defect_at.has_value()) append_number(out, R"(,"defect_at":)", *record.defect_at);
  append_oddity(out, "request", record.request_oddity);
  append_oddity(out, "response", record.response_oddity);
  append_some(out, R"(,"auth_fault":")", record.auth_fault);
  append_some(out, R"(,"limit":")", record.limit);
  append_some(out, R"(,"fault":")", record.fault);
  append_some(out, R"(,"user":")", record.user);
  append_some(out, R"(,"rule":")", record.rule);
  append_some(out, R"(,"group":")", record.group);
  append_some(out, R"(,"target":")", record.target_name);
  append_number(out, R"(,"attempts":)", static_cast<std::uint64_t>(record.attempts));
  append_number(out, R"(,"bytes_in":)", record.bytes_in);
  append_number(out, R"(,"bytes_out":)", record.bytes_out);
  if (record.layer4 == "udp") {
    append_number(out, R"(,"datagrams_in":)", record.datagrams_in);
    append_number(out, R"(,"datagrams_out":)", record.datagrams_out);
  }
  append_ms(out, R"(,"duration_ms":)", record.duration_us);
  append_ms(out, R"(,"queue_ms":)", record.queue_us);
  append_ms(out, R"(,"connect_ms":)", record.connect_us);
  append_ms(out, R"(,"header_ms":)", record.header_us);
  append_some(out, R"(,"request_id":")", record.request_id);
  append_some(out, R"(,"tls_version":")", record.tls_version);
  append_some(out, R"(,"tls_cipher":")", record.tls_cipher);
  append_some(out, R"(,"sni":")", record.sni);
  append_some(out, R"(,"user_agent":")", record.user_agent);
  append_some(out, R"(,"referer":")", record.referer);
  out.append(Bytes("}\n"));
}

// Apache's combined format, then what it has no room for: the reason ("-"), group, target, attempts and milliseconds.
void write_combined_line(Buffer& out, const AccessRecord& record) {
  const auto or_dash = [](Bytes text) { return text.empty() ? Bytes("-") : text; };
  const std::time_t seconds = std::chrono::system_clock::to_time_t(record.at);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char time[40];
  const std::size_t time_size = std::strftime(time, sizeof time, "%d/%b/%Y:%H:%M:%S +0000", &parts);
  append_quoted(out, record.client);
  out.append(Bytes(" - "));
  append_word(out, or_dash(record.user));
  out.append(Bytes(" ["));
  out.append({time, time_size});
  out.append(Bytes("] \""));
  if (!record.layer4.empty()) {
    out.append(record.layer4 == "tls" ? Bytes("TLS") : record.layer4 == "udp" ? Bytes("UDP") : Bytes("TCP"));
  } else if (record.method.empty()) {
    out.append('-');
  } else {
    append_quoted(out, record.method);
    out.append(' ');
    append_quoted(out, record.target);
    out.append(' ');
    out.append(protocol_of(record));
  }
  append_number(out, "\" ", static_cast<std::uint64_t>(record.status));
  append_number(out, " ", record.bytes_out);
  out.append(Bytes(" \""));
  append_quoted(out, or_dash(record.referer));
  out.append(Bytes("\" \""));
  append_quoted(out, or_dash(record.user_agent));
  out.append(Bytes("\" "));
  out.append(or_dash(record.reason));
  out.append(' ');
  append_quoted(out, or_dash(record.group));
  out.append(' ');
  append_quoted(out, or_dash(record.target_name));
  append_number(out, " ", static_cast<std::uint64_t>(record.attempts));
  append_ms(out, " ", record.duration_us);
  out.append('\n');
}

}  // namespace ballast::traffic

#include "admin/whoami/echo.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/loop.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t sleep_ms_max = 600'000;
constexpr std::uint64_t bytes_max = 1024 * mib;

// The whole number behind `prefix`; none where the path is another.
std::optional<std::uint64_t> number_behind(Bytes path, Bytes prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), value);
  if (error != std::errc{} || end != path.data() + path.size()) return std::nullopt;
  return value;
}

bool wants_json(Bytes query) {
  return query == "json" || query.starts_with("json&") || query.starts_with("json=");
}

HttpAnswer text(int status, std::string words) {
  return HttpAnswer{.status = status, .body = std::move(words) + "\n"};
}

}  // namespace

HttpAnswer Echo::refuse(int status, std::string words) {
  return text(status, std::move(words));
}

HttpAnswer Echo::describe(const HttpQuestion& question) const {
  const http::RequestHead& head = question.head;
  HttpAnswer answer;
  answer.lines = fmt::format("X-Whoami: {}\r\n", identity_.name);
  if (wants_json(head.query())) {
    Json headers = Json::array();
    for (const http::Field& field : head.fields) {
      headers.push_back({std::string(head.fields.name(field)), std::string(head.fields.value(field))});
    }
    const Json json{{"name", identity_.name},
                    {"pid", identity_.pid},
                    {"host", identity_.host},
                    {"remote", question.remote},
                    {"requests", requests_},
                    {"method", std::string(head.method())},
                    {"target", std::string(head.target())},
                    {"version", fmt::format("HTTP/1.{}", head.minor_version)},
                    {"headers", std::move(headers)},
                    {"body_bytes", question.body_bytes}};
    answer.content_type = "application/json";
    answer.body = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    return answer;
  }
  answer.body =
      fmt::format("name: {}\nhost: {}\npid: {}\nremote: {}\nrequests: {}\nbody: {} bytes\n\n{} {} HTTP/1.{}\n",
                  identity_.name, identity_.host, identity_.pid, question.remote, requests_, question.body_bytes,
                  head.method(), head.target(), head.minor_version);
  for (const http::Field& field : head.fields) {
    answer.body += fmt::format("{}: {}\n", head.fields.name(field), head.fields.value(field));
  }
  return answer;
}

io::Task<HttpAnswer> Echo::answer(const HttpQuestion& question) {
  ++requests_;
  const Bytes path = question.head.path();
  if (path == "/healthz") co_return text(200, "ok");
  if (const auto ms = number_behind(path, "/sleep/")) {
    if (*ms > sleep_ms_max) co_return text(400, fmt::format("/sleep/MS: at most {}", sleep_ms_max));
    co_await io::Sleep(loop_.after(std::chrono::milliseconds(*ms)));
  }
  if (const auto count = number_behind(path, "/bytes/")) {
    if (*count > bytes_max) co_return text(400, fmt::format("/bytes/N: at most {}", bytes_max));
    co_return HttpAnswer{.content_type = "application/octet-stream", .padding_bytes = *count};
  }
  HttpAnswer answer = describe(question);
  if (const auto status = number_behind(path, "/status/")) {
    if (*status < 200 || *status > 599) co_return text(400, "/status/CODE: 200 to 599");
    answer.status = static_cast<int>(*status);
  }
  co_return answer;
}

}  // namespace ballast::admin

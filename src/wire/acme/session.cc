#include "wire/acme/session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "io/dns.h"
#include "io/loop.h"
#include "wire/acme/jws.h"
#include "wire/http/http_date.h"

namespace ballast::acme {
namespace {

// An authority that refuses so many fresh nonces refuses all of them.
constexpr int nonce_tries_max = 10;
constexpr std::size_t nonce_bytes_max = 1024;
// One request; the whole has a deadline of its own.
constexpr auto request_time_max = std::chrono::seconds(30);

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(Bytes text, std::chrono::system_clock::time_point now) {
  constexpr std::int64_t longest_s = 7 * 86'400;
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem == std::errc() && end == text.data() + text.size() && !text.empty()) {
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, longest_s));
  }
  const auto date = http::parse_http_date(text, std::chrono::system_clock::to_time_t(now));
  if (!date.has_value()) return std::nullopt;
  return std::chrono::seconds(
      std::clamp<std::int64_t>(*date - std::chrono::system_clock::to_time_t(now), 0, longest_s));
}

io::Task<Result<http::FetchResponse>> Session::fetch(http::FetchRequest request, const std::string& url,
                                                     io::Deadline deadline) {
  Result<http::Url> place = http::Url::parse(url);
  if (!place) co_return fail(std::move(place.error()).within("the authority names a URL that is none"));
  // The account's key never signs for a place in clear where the directory came over TLS.
  if (!place->secure && context_.directory_url.starts_with("https://")) {
    co_return fail(Code::Malformed, fmt::format("the authority points to {}, which is not https", url));
  }
  request.tls = context_.tls;
  request.response_bytes_max = message_bytes_max;
  request.fields.push_back({"User-Agent", "ballast"});
  const io::Deadline own = io::Deadline::at(context_.loop.fresh_now() + request_time_max);
  Result<http::FetchResponse> response = co_await http::fetch_url(context_.loop, context_.resolver, std::move(*place),
                                                                  std::move(request), earlier(deadline, own));
  if (response) {
    if (const std::string_view nonce = response->field("Replay-Nonce"); nonce.size() <= nonce_bytes_max) nonce_ = nonce;
  }
  co_return std::move(response);
}

io::Task<Result<>> Session::open(io::Deadline deadline) {
  const http::FetchResponse response = co_await io::need(fetch({}, context_.directory_url, deadline));
  if (response.status != 200) {
    co_return fail(Code::Invalid, fmt::format("GET {}: it answered {}, not 200: {}", context_.directory_url,
                                              response.status, parse_problem(response.body).text()));
  }
  Result<Directory> directory = parse_directory(response.body);
  if (!directory) co_return fail(std::move(directory.error()).within(context_.directory_url));
  directory_ = std::move(*directory);
  co_return Result<>();
}

io::Task<Result<>> Session::take_nonce(io::Deadline deadline) {
  if (!nonce_.empty()) co_return Result<>();
  co_await io::need(fetch({.method = "HEAD"}, directory_.new_nonce, deadline));
  if (nonce_.empty()) {
    co_return fail(Code::Malformed, fmt::format("HEAD {}: the answer has no Replay-Nonce", directory_.new_nonce));
  }
  co_return Result<>();
}

io::Task<Result<Answer>> Session::post(std::string url, std::string payload, io::Deadline deadline) {
  for (int tries = 1;; ++tries) {
    refusal_.reset();
    co_await io::need(take_nonce(deadline));
    Result<std::string> body =
        sign_jws(key_, {.url = url, .nonce = std::exchange(nonce_, {}), .key_id = account_}, payload);
    if (!body) co_return fail(std::move(body.error()));
    http::FetchRequest request{.method = "POST", .content_type = "application/jose+json", .body = std::move(*body)};
    const http::FetchResponse response = co_await io::need(fetch(std::move(request), url, deadline));
    const auto retry_after = parse_retry_after(response.field("Retry-After"), std::chrono::system_clock::now());
    if (response.status >= 200 && response.status < 300) {
      co_return Answer{.status = response.status,
                       .body = response.body,
                       .location = std::string(response.field("Location")),
                       .retry_after = retry_after};
    }
    refusal_ = Refusal{.problem = parse_problem(response.body), .status = response.status, .retry_after = retry_after};
    if (refusal_->problem.is("badNonce") && tries < nonce_tries_max) continue;
    co_return fail(Code::Invalid, fmt::format("POST {}: {} {}", url, response.status, refusal_->problem.text()));
  }
}

}  // namespace ballast::acme

// Fuzzes what an authority answers: directories, orders, authorizations, problems, Retry-After and the URLs in them.
// What is read stays within its bounds, a token has its alphabet, and what an operator is shown is one line of
// printable ASCII.
//
// The canary holds that no text has a blank.
#include <algorithm>
#include <cstdint>
#include <string>

#include "require.h"
#include "wire/acme/messages.h"
#include "wire/acme/session.h"
#include "wire/http/url.h"

namespace {

using namespace ballast;
using ballast::fuzz::require;

bool is_printable(Bytes text) {
  return std::ranges::all_of(text, [](char c) {
#ifdef BALLAST_CANARY
    if (c == ' ') return false;
#endif
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
  });
}

void require_shown(const acme::Problem& problem) {
  require(is_printable(problem.detail), "a problem's words are printable");
  require(is_printable(problem.text()), "and so is all of it");
  require(problem.text().size() < 6000, "a problem is bounded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  require_shown(acme::parse_problem(input));
  if (const auto directory = acme::parse_directory(input)) {
    require(!directory->new_nonce.empty() && !directory->new_order.empty(), "a directory has its URLs");
  } else {
    require(is_printable(directory.error().text()), "an error is printable");
  }
  if (const auto order = acme::parse_order(input)) {
    require(order->authorizations.size() <= 200, "an order is bounded");
    if (order->problem.has_value()) require_shown(*order->problem);
  }
  if (const auto authorization = acme::parse_authorization(input)) {
    for (const acme::Challenge& each : authorization->challenges) {
      require(each.token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
                  std::string::npos,
              "a token has its alphabet");
      require(!each.token.empty() && each.token.size() <= 256, "and is bounded");
      if (each.problem.has_value()) require_shown(*each.problem);
    }
  }
  const auto wait = acme::parse_retry_after(input, std::chrono::system_clock::from_time_t(1'800'000'000));
  if (wait.has_value()) require(wait->count() >= 0 && wait->count() <= 7 * 86'400, "a wait is bounded");
  if (const auto url = http::Url::parse(input)) {
    require(!url->host.empty() && url->port != 0 && url->target.starts_with('/'), "a URL has its parts");
  }
  return 0;
}

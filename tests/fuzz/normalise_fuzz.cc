// Fuzzes what the monitor mode puts in order: what comes of it is valid, is a whole head of its own, frames no body
// that the bytes received do not state in so many words, and never keeps its connection.
//
// The canary writes encoded bytes in small letters and is held to capitals.
#include <algorithm>
#include <cstdint>
#include <string>

#include "require.h"
#include "wire/http/list.h"
#include "wire/http/normalise.h"

namespace {

using namespace ballast;
using namespace ballast::http;
using ballast::fuzz::require;

constexpr HeadLimits limits{
    .line = 200, .header = 200, .head = 280, .header_count = 8, .strictness = Strictness::Monitor};

// How many lines of what was received begin with this name.
int lines_named(Bytes input, Bytes name) {
  int count = 0;
  for (std::size_t line = 0; line < input.size();) {
    const std::size_t end = std::min(input.find('\n', line), input.size());
    if (end - line > name.size() && iequals(input.substr(line, name.size()), name)) ++count;
    line = end + 1;
  }
  return count;
}

void check(Bytes input, const Normalised& done, std::string text, Framing framing, bool keep_alive) {
#ifdef BALLAST_CANARY
  for (std::size_t at = text.find('%'); at != std::string::npos && at + 2 < text.size(); at = text.find('%', at + 1)) {
    text[at + 1] = static_cast<char>(text[at + 1] | 0x20);
  }
  require(text.find("%c") == std::string::npos, "encoded in capitals");
#endif
  const Bytes received = input.substr(0, done.size);
  require(done.size <= input.size() && done.size <= limits.head, "a head is within what came and its limit");
  require(!keep_alive, "its connection ends");
  require(text.ends_with("\r\n\r\n") && text.find("\r\n\r\n") + 4 == text.size(), "one head");
  for (std::size_t at = 0; at < text.size(); ++at) {
    require(text[at] != '\n' || (at > 0 && text[at - 1] == '\r'), "no bare LF");
    require(text[at] != '\r' || (at + 1 < text.size() && text[at + 1] == '\n'), "no bare CR");
    require(text[at] != '\0', "no NUL");
  }
  const int lengths = lines_named(received, "content-length");
  const int codings = lines_named(received, "transfer-encoding:");
  require(lengths == 0 || codings == 0, "never both");
  require(framing != Framing::Length || lengths > 0, "a length was stated");
  require(framing != Framing::Chunked || codings == 1, "one coding was stated");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  static RequestHead request;
  static ResponseHead response;
  Buffer text;
  Outcome outcome = RequestParser::parse(input, limits, request);
  if (outcome.progress == Progress::Failed) {
    const Normalised done = normalise(input, outcome, limits, text, request);
    if (done.progress == Progress::Complete) {
      check(input, done, std::string(text.view()), request.framing, request.keep_alive);
      require(!request.wants_upgrade, "no upgrade");
      const Outcome again = RequestParser::parse(text.view(), limits, request);
      require(again.progress == Progress::Complete && request.size == text.size(), "it is valid");
    }
  }
  outcome = ResponseParser::parse(input, limits, {}, response);
  if (outcome.progress == Progress::Failed) {
    const Normalised done = normalise(input, outcome, limits, {}, text, response);
    if (done.progress == Progress::Complete) {
      check(input, done, std::string(text.view()), response.framing, response.keep_alive);
      require(response.status >= 200, "a final one");
    }
  }
  return 0;
}

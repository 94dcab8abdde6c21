#include "traffic/health/height.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ballast::traffic {
namespace {

using Json = nlohmann::json;

std::optional<std::uint64_t> number_in(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string cropped(const std::string& text) {
  constexpr std::size_t enough = 120;
  return text.size() <= enough ? text : text.substr(0, enough) + "...";
}

std::string shown(const Json& value) {
  return cropped(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

const Json* step(const Json& value, std::string_view name) {
  if (value.is_object()) {
    const auto found = value.find(std::string(name));
    return found != value.end() ? &*found : nullptr;
  }
  const auto index = number_in(name);
  return value.is_array() && index.has_value() && *index < value.size() ? &value[*index] : nullptr;
}

}  // namespace

Result<std::uint64_t> height_in(Bytes answer, const std::string& path) {
  const Json json = Json::parse(answer, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return fail(Code::Malformed, "the answer is not a JSON object");
  if (const auto error = json.find("error"); error != json.end() && !error->is_null()) {
    return fail(Code::Invalid, fmt::format("the answer is an error: {}", shown(*error)));
  }
  const Json* place = &json;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t dot = std::min(path.find('.', at), path.size());
    place = step(*place, std::string_view(path).substr(at, dot - at));
    if (place == nullptr) return fail(Code::NotFound, fmt::format("the answer has no {}: {}", path, shown(json)));
    at = dot + 1;
  }
  if (place->is_number_unsigned()) return place->get<std::uint64_t>();
  if (place->is_string()) {
    if (const auto height = number_in(place->get_ref<const std::string&>())) return *height;
  }
  return fail(Code::Malformed, fmt::format("{} is no height: {}", path, shown(*place)));
}

config::Milliseconds height_valid_for(const config::HealthCheck& check) {
  return 3 * check.interval + check.timeout;
}

HeightJudged judge_height(const config::JsonRpc& check, const std::optional<HeightRecord>& record,
                          const HeightSeen& seen, HealthTime now) {
  HeightJudged judged{.record = {.height = seen.height, .grew_at = now, .seen_at = now}, .words = {}};
  if (record.has_value() && seen.height <= record->height) {
    // A node that goes back (a reorganisation) has not grown; what counts is when it passes what it had.
    judged.record.height = record->height;
    judged.record.grew_at = record->grew_at;
  }
  if (seen.best_peer.has_value() && *seen.best_peer > seen.height && *seen.best_peer - seen.height > check.lag_max) {
    judged.verdict = HeightVerdict::Behind;
    judged.words = fmt::format("height {}, {} behind the best peer's {}, at most {} are allowed", seen.height,
                               *seen.best_peer - seen.height, *seen.best_peer, check.lag_max);
    return judged;
  }
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(now - judged.record.grew_at);
  if (check.stalled_after.count() > 0 && now - judged.record.grew_at >= check.stalled_after) {
    judged.verdict = HeightVerdict::Stalled;
    judged.words = fmt::format("height {} has not grown for {} s", seen.height, since.count());
    return judged;
  }
  judged.words = fmt::format("height {}", seen.height);
  return judged;
}

}  // namespace ballast::traffic

#include "traffic/route/conditions.h"

#include <algorithm>

#include <fmt/format.h>

#include "traffic/route/query.h"

namespace ballast::traffic {
namespace {

bool equal_without_case(Bytes a, Bytes b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool any_matches(const std::vector<TextPattern>& patterns, Bytes text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const TextPattern& p) { return p.matches(text); });
}

// What a pattern stands in, for the text of an Error.
std::string place(std::string_view condition, const config::Pattern& pattern) {
  return fmt::format("match {} \"{}\"", condition, pattern.text);
}

}  // namespace

bool contains(const config::Network& network, const std::array<std::uint8_t, 16>& address) {
  const int bits = std::min<int>(network.prefix_bits, 128);
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(network.bytes.begin(), network.bytes.begin() + static_cast<std::ptrdiff_t>(whole), address.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8) & 0xff;
  return ((network.bytes[whole] ^ address[whole]) & mask) == 0;
}

Result<Conditions> Conditions::compile(const config::Match& match) {
  Conditions conditions;
  for (config::Pattern pattern : match.host) {
    if (!pattern.is_regex) pattern.text = host_of_record(pattern.text);
    Result<TextPattern> compiled = TextPattern::compile(pattern, LetterCase::Folded);
    if (!compiled) return fail(std::move(compiled.error()).within(place("host", pattern)));
    conditions.hosts_.push_back(*std::move(compiled));
  }
  for (const config::Pattern& pattern : match.path) {
    Result<TextPattern> compiled = TextPattern::compile(pattern, LetterCase::Exact);
    if (!compiled) return fail(std::move(compiled.error()).within(place("path", pattern)));
    conditions.paths_.push_back(*std::move(compiled));
  }
  for (const config::NamedPattern& wanted : match.header) {
    Result<TextPattern> compiled = TextPattern::compile(wanted.pattern, LetterCase::Folded);
    if (!compiled) return fail(std::move(compiled.error()).within(place("header " + wanted.name, wanted.pattern)));
    conditions.headers_.push_back({wanted.name, *std::move(compiled)});
  }
  for (const config::NamedPattern& wanted : match.query) {
    Result<TextPattern> compiled = TextPattern::compile(wanted.pattern, LetterCase::Exact);
    if (!compiled) return fail(std::move(compiled.error()).within(place("query " + wanted.name, wanted.pattern)));
    conditions.parameters_.push_back({wanted.name, *std::move(compiled)});
  }
  for (config::Pattern pattern : match.sni) {
    if (!pattern.is_regex) pattern.text = host_of_record(pattern.text);
    Result<TextPattern> compiled = TextPattern::compile(pattern, LetterCase::Folded);
    if (!compiled) return fail(std::move(compiled.error()).within(place("sni", pattern)));
    conditions.snis_.push_back(*std::move(compiled));
  }
  conditions.methods_ = match.method;
  conditions.sources_ = match.source;
  return conditions;
}

bool Conditions::header_holds(const Named& wanted, const http::Fields* fields) const {
  if (fields == nullptr) return false;
  // A repeated header holds when one of its lines does.
  for (const http::Field& field : *fields) {
    if (equal_without_case(fields->name(field), wanted.name) && wanted.pattern.matches(fields->value(field)))
      return true;
  }
  return false;
}

bool Conditions::hold(const RequestFacts& facts) const {
  if (!methods_.empty() && std::find(methods_.begin(), methods_.end(), facts.method) == methods_.end()) return false;
  if (!paths_.empty() && !any_matches(paths_, facts.path)) return false;
  if (!snis_.empty() && (facts.sni.empty() || !any_matches(snis_, facts.sni))) return false;
  if (!hosts_.empty() && !any_matches(hosts_, host_of_record(facts.host))) return false;
  if (!sources_.empty() && std::none_of(sources_.begin(), sources_.end(), [&](const config::Network& network) {
        return contains(network, facts.source);
      })) {
    return false;
  }
  for (const Named& wanted : headers_) {
    if (!header_holds(wanted, facts.fields)) return false;
  }
  for (const Named& wanted : parameters_) {
    if (!query_matches(facts.query, wanted.name, wanted.pattern)) return false;
  }
  return true;
}

}  // namespace ballast::traffic

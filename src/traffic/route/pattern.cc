#include "traffic/route/pattern.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

namespace ballast::traffic {
namespace {

// An expression as long as a request line is a mistake; RE2's program for it would be too.
constexpr std::size_t expression_max = 4096;
// For the program and the caches of one expression; one that needs more is refused, or falls back to slower matching.
constexpr std::int64_t expression_memory_max = 1 << 20;

RE2::Options options_of(LetterCase letter_case) {
  RE2::Options options(RE2::Latin1);  // bytes: what clients send need not be UTF-8
  options.set_log_errors(false);
  options.set_max_mem(expression_memory_max);
  options.set_dot_nl(true);
  options.set_never_capture(true);
  options.set_case_sensitive(letter_case == LetterCase::Exact);
  return options;
}

bool equal(Bytes pattern, Bytes text, LetterCase letter_case) {
  if (pattern.size() != text.size()) return false;
  if (letter_case == LetterCase::Exact) return pattern == text;
  return std::equal(pattern.begin(), pattern.end(), text.begin(), [](char p, char t) { return p == lower(t); });
}

}  // namespace

struct TextPattern::Expression {
  Expression(std::string_view text, LetterCase letter_case)
      : compiled(re2::StringPiece(text.data(), text.size()), options_of(letter_case)) {}
  RE2 compiled;
};

Result<> check_regex(std::string_view expression) {
  if (expression.size() > expression_max) {
    return fail(Code::TooLarge,
                fmt::format("a regular expression of {} bytes: at most {}", expression.size(), expression_max));
  }
  const RE2 compiled(re2::StringPiece(expression.data(), expression.size()), options_of(LetterCase::Exact));
  if (!compiled.ok()) {
    return fail(Code::Invalid, fmt::format("not a regular expression (RE2 syntax): {}", compiled.error()));
  }
  return {};
}

Result<TextPattern> TextPattern::compile(const config::Pattern& pattern, LetterCase letter_case) {
  if (pattern.is_regex) {
    if (auto checked = check_regex(pattern.text); !checked) return fail(std::move(checked.error()));
    auto expression = std::make_shared<const Expression>(pattern.text, letter_case);
    // Without case an expression is a little larger, and may just be too large.
    if (!expression->compiled.ok()) {
      return fail(Code::Invalid,
                  fmt::format("not a regular expression (RE2 syntax): {}", expression->compiled.error()));
    }
    return TextPattern(std::move(expression), letter_case);
  }
  std::string text = pattern.text;
  if (letter_case == LetterCase::Folded) std::transform(text.begin(), text.end(), text.begin(), lower);
  const std::size_t special = text.find_first_of("*?");
  if (special == std::string::npos) return TextPattern(Whole{std::move(text)}, letter_case);
  if (text == "*") return TextPattern(Anything{}, letter_case);
  if (text[special] == '*' && special + 1 == text.size()) {
    text.pop_back();
    return TextPattern(Prefix{std::move(text)}, letter_case);
  }
  if (text.front() == '*' && text.find_first_of("*?", 1) == std::string::npos) {
    return TextPattern(Suffix{text.substr(1)}, letter_case);
  }
  Result<Glob> glob = Glob::compile(text, letter_case);
  if (!glob) return fail(std::move(glob.error()));
  return TextPattern(Wildcards{std::make_shared<const Glob>(*std::move(glob))}, letter_case);
}

bool TextPattern::matches(Bytes text) const {
  if (const auto* whole = std::get_if<Whole>(&form_)) return equal(whole->text, text, letter_case_);
  if (const auto* prefix = std::get_if<Prefix>(&form_)) {
    return equal(prefix->text, text.substr(0, prefix->text.size()), letter_case_);
  }
  if (const auto* suffix = std::get_if<Suffix>(&form_)) {
    if (text.size() < suffix->text.size()) return false;
    return equal(suffix->text, text.substr(text.size() - suffix->text.size()), letter_case_);
  }
  if (const auto* wildcards = std::get_if<Wildcards>(&form_)) return wildcards->glob->matches(text);
  if (const auto* expression = std::get_if<std::shared_ptr<const Expression>>(&form_)) {
    return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), (*expression)->compiled);
  }
  return true;
}

}  // namespace ballast::traffic

// Conditions and what is done where they hold.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "admin/import/haproxy_read.h"
#include "config/units.h"

namespace ballast::admin {
namespace {

constexpr std::size_t expanded_max = 64;   // rules for one line
constexpr std::size_t patterns_max = 100;  // of one condition of ours

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return made;
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 200 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

// "hdr_beg(host)" in its parts: hdr, beg, host.
struct Fetch {
  std::string name;
  std::string how = "str";
  std::string argument;
};
Fetch fetch_of(std::string text) {
  Fetch fetch;
  const std::size_t open = text.find('(');
  if (open != std::string::npos) {
    fetch.argument = text.substr(open + 1, text.find(')', open) - open - 1);
    text.resize(open);
  }
  for (const std::string_view how : {"_beg", "_end", "_sub", "_reg", "_dom", "_dir", "_len", "_str"}) {
    if (!text.ends_with(how)) continue;
    fetch.how = how.substr(1);
    text.resize(text.size() - how.size());
    break;
  }
  if (text.starts_with("req.") && text != "req.hdr_cnt") text.erase(0, 4);
  fetch.name = text;
  return fetch;
}

// As YAML; empty: there is no counterpart.
std::string pattern_of(const std::string& text, std::string_view how, bool folds) {
  if (text.empty() || text.size() > 800) return {};
  if (how == "reg") {
    const std::string expression = whole_expression({.text = text, .ignores_case = folds});
    return expression.empty() ? "" : yaml_regex(expression);
  }
  const Extent extent = how == "beg"   ? Extent::Prefix
                        : how == "end" ? Extent::Suffix
                        : how == "sub" ? Extent::Part
                                       : Extent::Whole;
  if (!folds) return yaml_pattern(text, extent);
  std::string expression;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  const std::string begin = extent == Extent::Whole || extent == Extent::Prefix ? "" : ".*";
  const std::string end = extent == Extent::Whole || extent == Extent::Suffix ? "" : ".*";
  return yaml_regex(fmt::format("(?is){}{}{}", begin, expression, end));
}

std::string predefined(std::string_view name) {
  constexpr std::string_view methods[] = {"GET",     "POST",    "HEAD",  "PUT",  "DELETE",
                                          "OPTIONS", "CONNECT", "TRACE", "PATCH"};
  if (!name.starts_with("METH_")) return {};
  const auto found = std::ranges::find(methods, name.substr(5));
  return found != std::end(methods) ? std::string(*found) : std::string();
}

// False: it has a condition on that part already, and both would have to hold.
bool narrow(DraftRule& rule, const HaproxyTest& test) {
  const auto take = [&](std::vector<std::string>& into) {
    if (!into.empty()) return false;
    into = test.patterns;
    return true;
  };
  using Part = HaproxyTest::Part;
  switch (test.part) {
    case Part::Host:
      return take(rule.host);
    case Part::Path:
      return take(rule.path);
    case Part::Method:
      return take(rule.method);
    case Part::Source:
      return take(rule.source);
    case Part::Header:
    case Part::Query: {
      DraftProperties& into = test.part == Part::Header ? rule.header : rule.query;
      const auto is_same = [&](const auto& each) { return lower(each.first) == lower(yaml_text(test.name)); };
      if (test.patterns.size() != 1 || std::ranges::any_of(into, is_same)) return false;
      into.emplace_back(yaml_text(test.name), test.patterns.front());
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

HaproxyTest HaproxyReader::test_of(const std::vector<std::string>& words, bool is_tls) const {
  using Part = HaproxyTest::Part;
  HaproxyTest test;
  if (words.empty()) return test;
  Fetch fetch = fetch_of(words[0]);
  bool folds = false;
  std::vector<std::string> values;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-i") {
      folds = true;
    } else if (words[i] == "-m" && i + 1 < words.size()) {
      fetch.how = words[++i];
    } else if (words[i] == "--") {
      values.insert(values.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    } else if (words[i].starts_with('-') && words[i].size() == 2) {
      return test;  // -f, -M, -n: files and options that cannot be carried over
    } else {
      values.push_back(words[i]);
    }
  }
  if (fetch.name == "ssl_fc") {
    test.part = is_tls ? Part::Always : Part::Never;
    return test;
  }
  if (fetch.name == "always_true") test.part = Part::Always;
  if (fetch.name == "always_false") test.part = Part::Never;
  if (test.part != Part::Unknown) return test;
  if (fetch.how == "found" && fetch.name == "hdr" && is_token(fetch.argument)) {
    return {.part = Part::Header, .name = fetch.argument, .patterns = {yaml_text("*")}};
  }
  const bool is_known_how =
      fetch.how == "str" || fetch.how == "beg" || fetch.how == "end" || fetch.how == "sub" || fetch.how == "reg";
  if (values.empty() || values.size() > patterns_max || !is_known_how) return test;
  const bool is_host = (fetch.name == "hdr" && lower(fetch.argument) == "host") || fetch.name == "ssl_fc_sni";
  Part part = Part::Unknown;
  if (is_host)
    part = Part::Host;
  else if (fetch.name == "path")
    part = Part::Path;
  else if (fetch.name == "method")
    part = Part::Method;
  else if (fetch.name == "src")
    part = Part::Source;
  else if (fetch.name == "hdr" && is_token(fetch.argument))
    part = Part::Header;
  else if ((fetch.name == "url_param" || fetch.name == "urlp") && is_token(fetch.argument))
    part = Part::Query;
  if (part == Part::Unknown) return test;
  for (const std::string& value : values) {
    std::string pattern;
    if (part == Part::Method) {
      if (is_token(value) && value.size() <= 32) pattern = yaml_text(value);
    } else if (part == Part::Source) {
      if (config::parse_network(value)) pattern = yaml_text(value);
    } else {
      // Hosts and header values are compared without case whether asked or not.
      pattern = pattern_of(value, fetch.how, folds && part != Part::Host && part != Part::Header);
    }
    if (pattern.empty()) return {};
    test.patterns.push_back(std::move(pattern));
  }
  test.part = part;
  test.name = fetch.argument;
  return test;
}

HaproxyReader::Matches HaproxyReader::matches_of(const std::vector<std::string>& words, std::size_t from,
                                                 const Acls& acls, bool is_tls) const {
  using Part = HaproxyTest::Part;
  if (from >= words.size()) return {.rules = {DraftRule{}}};
  const bool is_unless = words[from] == "unless";
  // Terms of the disjunction, each a list of (negated, tests of which one must hold).
  struct Condition {
    bool negated = false;
    std::vector<HaproxyTest> tests;
  };
  std::vector<std::vector<Condition>> terms(1);
  for (std::size_t i = from + 1; i < words.size(); ++i) {
    std::string word = words[i];
    if (word == "or" || word == "||") {
      terms.emplace_back();
      continue;
    }
    Condition condition;
    while (word.starts_with('!')) {
      condition.negated = !condition.negated;
      word.erase(0, 1);
      if (word.empty() && i + 1 < words.size()) word = words[++i];
    }
    if (word == "{") {
      std::vector<std::string> inside;
      for (++i; i < words.size() && words[i] != "}"; ++i) inside.push_back(words[i]);
      condition.tests.push_back(test_of(inside, is_tls));
    } else if (const auto found = acls.find(word); found != acls.end()) {
      condition.tests = found->second;
    } else if (const std::string method = predefined(word); !method.empty()) {
      condition.tests.push_back({.part = Part::Method, .name = {}, .patterns = {method}});
    } else {
      condition.tests.push_back({.part = word == "TRUE" || word == "HTTP" ? Part::Always
                                         : word == "FALSE"                ? Part::Never
                                                                          : Part::Unknown});
    }
    terms.back().push_back(std::move(condition));
  }
  if (is_unless) {
    // Only `unless A` with one thing can be turned round.
    if (terms.size() != 1 || terms[0].size() != 1) return {.rules = {DraftRule{}}, .exact = false};
    terms[0][0].negated = !terms[0][0].negated;
  }
  Matches matches;
  for (const std::vector<Condition>& term : terms) {
    std::vector<DraftRule> rules(1);
    for (const Condition& condition : term) {
      std::vector<DraftRule> next;
      const bool constant = condition.tests.size() == 1 &&
                            (condition.tests[0].part == Part::Always || condition.tests[0].part == Part::Never);
      if (constant) {
        if ((condition.tests[0].part == Part::Always) == condition.negated) rules.clear();
        continue;
      }
      if (condition.negated) {
        matches.exact = false;  // nothing of ours says "not"
        continue;
      }
      for (const DraftRule& rule : rules) {
        for (const HaproxyTest& test : condition.tests) {
          DraftRule narrowed = rule;
          if (test.part == Part::Never) continue;
          if (test.part != Part::Always && !narrow(narrowed, test)) matches.exact = false;
          next.push_back(std::move(narrowed));
        }
      }
      rules = std::move(next);
      if (rules.size() > expanded_max) return {.rules = {DraftRule{}}, .exact = false};
    }
    matches.rules.insert(matches.rules.end(), rules.begin(), rules.end());
    if (matches.rules.size() > expanded_max) return {.rules = {DraftRule{}}, .exact = false};
  }
  return matches;
}

void HaproxyReader::add(Matches matches, const std::string& action, DraftListener& listener) {
  for (DraftRule& rule : matches.rules) {
    if (closed_) return;
    rule.action = action;
    if (rule.is_conditional()) {
      listener.rules.push_back(std::move(rule));
    } else {
      listener.otherwise = std::move(rule);
      closed_ = true;
    }
  }
}

namespace {

std::size_t condition_at(const std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "if" || words[i] == "unless") return i;
  }
  return words.size();
}

int code_of(std::string_view text, int usual) {
  int status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  return error == std::errc() && end == text.data() + text.size() && status >= 200 && status <= 599 ? status : usual;
}

}  // namespace

void HaproxyReader::redirect(const HaproxyLine& line, std::size_t from, const Acls& acls, bool is_tls,
                             DraftListener& listener) {
  const std::string kind = line.word(from);
  std::string to = line.word(from + 1);
  const int status = code_of(line.after("code"), 302);
  Matches matches = matches_of(line.words, condition_at(line.words), acls, is_tls);
  if (matches.rules.empty()) return;  // it can never happen on this address
  if (!matches.exact) return left_out(line, "its condition has no counterpart");
  if (kind == "scheme") {
    to = fmt::format("{}://{{host}}{{path}}?{{query}}", to);
  } else if (kind == "prefix") {
    while (to.ends_with('/')) to.pop_back();
    to += line.has("drop-query") ? "{path}" : "{path}?{query}";
  } else if (kind != "location") {
    return left_out(line, "this form of redirect has no counterpart");
  }
  const bool is_format = to.find('%') != std::string::npos && kind != "scheme";
  const bool is_place =
      to.size() <= 1000 && (to.starts_with("http://") || to.starts_with("https://") || to.starts_with('/'));
  const bool is_clean =
      std::ranges::all_of(to, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; }) &&
      (kind != "location" || to.find_first_of("{}") == std::string::npos) &&
      (kind != "prefix" || line.word(from + 1).find_first_of("{}") == std::string::npos);
  const bool is_status = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (is_format || !is_place || !is_clean || !is_status)
    return left_out(line, "it is no place that a client can be sent to here");
  if (line.has("set-cookie") || line.has("clear-cookie")) left_out(line, "changed: the cookie is not touched");
  add(std::move(matches), fmt::format("redirect: {{ status: {}, to: {} }}", status, yaml_text(to)), listener);
}

bool HaproxyReader::request_rule(const HaproxyLine& line, const Acls& acls, bool is_tls, DraftListener& listener) {
  const std::string what = line.word(1);
  if (what == "redirect") {
    redirect(line, 2, acls, is_tls, listener);
    return true;
  }
  const bool denies = what == "deny" || what == "tarpit" || what == "reject" || what == "auth";
  if (denies) {
    Matches matches = matches_of(line.words, condition_at(line.words), acls, is_tls);
    if (what == "auth") {
      left_out(line, "users of haproxy.cfg are not carried over; what they guarded answers 403. See auth in the guide");
    } else if (!matches.exact) {
      left_out(line, "a part of its condition has no counterpart: more is denied than before");
    }
    const int status = code_of(line.after("deny_status"), 403);
    add(std::move(matches), closed_action(status < 400 ? 403 : status, "Forbidden."), listener);
    return true;
  }
  if (what == "return") {
    Matches matches = matches_of(line.words, condition_at(line.words), acls, is_tls);
    const std::string body = line.after("string").empty() ? line.after("lf-string") : line.after("string");
    const bool is_plain = line.after("file").empty() && line.after("errorfile").empty() && body.size() < 50'000;
    const int status = code_of(line.after("status"), 200);
    if (!matches.exact || !is_plain) {
      left_out(line, "its condition or its content has no counterpart");
      return true;
    }
    DraftProperties fixed{{"status", fmt::format("{}", status)}};
    const std::string type = line.after("content-type");
    const bool is_type = !type.empty() && type.size() <= 256 && std::ranges::all_of(type, [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
    });
    if (is_type) fixed.emplace_back("content_type", yaml_text(type));
    if (!body.empty() && status != 204 && status != 304) fixed.emplace_back("body", yaml_text(body));
    add(std::move(matches), fmt::format("fixed_response: {}", yaml_map(fixed)), listener);
    return true;
  }
  return false;
}

}  // namespace ballast::admin

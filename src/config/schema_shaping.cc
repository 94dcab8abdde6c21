// The schema of what a rule does to requests and responses that pass: headers put in and taken out, paths rewritten.
#include "config/schema_shaping.h"

#include <algorithm>
#include <cctype>

#include "config/header_kinds.h"
#include "config/kinds.h"
#include "config/placeholders.h"
#include "config/schema.h"
#include "config/words.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t headers_max = 50;  // each is looked for in every message

bool is_same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool leads_elsewhere(std::string_view path) {
  for (const std::string_view part : {"/./", "/../"}) {
    if (path.find(part) != std::string_view::npos) return true;
  }
  return path.ends_with("/.") || path.ends_with("/..");
}

std::string prefix_fault(std::string_view value) {
  if (!value.starts_with('/') || value.size() < 2 || value.ends_with('/')) {
    return fmt::format("{} must begin with /, have something behind it and no / at its end", quote(value));
  }
  if (leads_elsewhere(value)) return fmt::format("{} leads elsewhere with its dots", quote(value));
  const bool good = std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7F && c != '?' && c != '#'; });
  return good ? ""
              : fmt::format("{} has a character that a path cannot have; write it as %20 or the like", quote(value));
}

std::string replacement_fault(std::string_view value) {
  if (!value.starts_with('/')) return fmt::format("{} must begin with /", quote(value));
  if (leads_elsewhere(value.substr(0, value.find('?')))) {
    return fmt::format("{} leads elsewhere with its dots", quote(value));
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c <= 0x20 || c >= 0x7F || c == '#') {
      return fmt::format("{} has a character that a path cannot have; write it as %20 or the like", quote(value));
    }
    if (c != '\\') continue;
    if (i + 1 == value.size() || value[i + 1] < '0' || value[i + 1] > '9') {
      return fmt::format("{} has a \\ without the number of a part behind it: \\1 to \\9, or \\0 for all",
                         quote(value));
    }
  }
  return "";
}

Value<std::string> prefix() {
  return text({.words = "path, without / at its end", .bytes_max = 1024, .check = prefix_fault});
}

void finish_rewrite(Rewrite& rewrite, const Node& node, Decoder& decoder) {
  const bool by_prefix = node.find("strip_prefix") != nullptr || node.find("prefix") != nullptr;
  const bool by_regex = node.find("regex") != nullptr || node.find("to") != nullptr;
  if (by_prefix == by_regex) {
    return decoder.error(rewrite.mark, by_prefix ? "a path is rewritten by prefix or by regex: not by both"
                                                 : "this rewrite says nothing; write { strip_prefix: /api }, { prefix: "
                                                   "/v2 } or { regex: \"/old/(.*)\", to: \"/new/\\\\1\" }");
  }
  if (!by_regex) return;
  for (const std::string_view key : {"regex", "to"}) {
    if (!node.find(key)) return decoder.error(rewrite.mark, fmt::format("{} is missing in this rewrite", key));
  }
  if (rewrite.regex.empty() || rewrite.to.empty()) return;  // said already
  if (decoder.regex_check) {
    if (auto checked = decoder.regex_check(rewrite.regex); !checked) {
      return decoder.error(node.mark_of("regex"), fmt::format("regex: {} is not an RE2 expression: {}",
                                                              quote(rewrite.regex), checked.error().text()));
    }
  }
  const int captures = capture_count(rewrite.regex);
  for (std::size_t at = rewrite.to.find('\\'); at != std::string::npos; at = rewrite.to.find('\\', at + 2)) {
    const int number = rewrite.to[at + 1] - '0';
    if (number <= captures) continue;
    decoder.error(node.mark_of("to"),
                  fmt::format("\\{} stands for nothing: the expression has {} part{} in parentheses", number, captures,
                              captures == 1 ? "" : "s"));
    break;
  }
}

Value<Rewrite> rewrite_kind() {
  return section<Rewrite>({
      .name = "rewrite",
      .title = "Rewrite",
      .doc = "What the target is asked for instead of the client's path: a prefix taken off, another put in front, or "
             "both; or an expression and its replacement. A path that does not begin with `strip_prefix`, or does not "
             "match, stays as it is. One that would lead upwards (`..`) is answered with 400 and `rewrite_refused`.",
      .properties =
          {
              {.name = "strip_prefix",
               .doc = "Taken off a path that is it, or goes on behind it with `/`.",
               .example = "/api",
               .value = field(&Rewrite::strip_prefix, prefix()),
               .default_words = "none"},
              {.name = "prefix",
               .doc = "Put in front of the path, or of what `strip_prefix` has left of it.",
               .example = "/v2",
               .value = field(&Rewrite::prefix, prefix()),
               .default_words = "none"},
              {.name = "regex",
               .doc = "An RE2 expression that must match the whole path, as it was sent. Beside `to`.",
               .example = "\"/old/(.*)\"",
               .value = field(&Rewrite::regex, text({.words = "RE2 expression", .bytes_max = 4096})),
               .default_words = "none"},
              {.name = "to",
               .doc = "The path instead, with `\\1` to `\\9` for the parts in parentheses and `\\0` for all. The "
                      "request's query stays, unless there is a `?`: what stands behind it is the query then.",
               .example = "\"/new/\\\\1\"",
               .value = field(&Rewrite::to, text({.words = "path", .bytes_max = 2048, .check = replacement_fault})),
               .default_words = "none"},
          },
      .finish = finish_rewrite,
  });
}

// Host, which frames nothing and says much: nothing of the client's may stand in it but the host that it named.
std::string host_fault(std::string_view value) {
  const auto pieces = read_placeholders(value, PlaceholderUse::Header);
  if (!pieces) return "";  // said already
  constexpr std::string_view allowed = ".-_:[]";
  for (const PlaceholderPiece& piece : *pieces) {
    const bool good =
        piece.placeholder == Placeholder::None
            ? std::ranges::all_of(piece.text,
                                  [&](unsigned char c) {
                                    return c < 0x80 && (std::isalnum(c) != 0 ||
                                                        allowed.find(static_cast<char>(c)) != std::string_view::npos);
                                  })
            : piece.placeholder == Placeholder::Host || piece.placeholder == Placeholder::Port;
    if (!good) {
      return fmt::format(
          "Host: {} is not a host, or a host and a port; of placeholders only {{host}} and {{port}} "
          "may stand in it",
          quote(value));
    }
  }
  return pieces->empty() ? "Host is empty" : "";
}

void check_names(const std::vector<NamedText>& set, const std::vector<std::string>& removed, const Node* node,
                 Decoder& decoder) {
  if (node == nullptr) return;
  for (auto each = set.begin(); each != set.end(); ++each) {
    const auto same = [&](const NamedText& other) { return is_same(each->name, other.name); };
    if (std::find_if(set.begin(), each, same) != each) {
      decoder.error(node->mark, fmt::format("{} is set twice; case makes no difference", quote(each->name)));
    }
    if (std::ranges::any_of(removed, [&](const std::string& name) { return is_same(each->name, name); })) {
      decoder.error(node->mark, fmt::format("{} is set and removed; what is set stands in the place of what was there",
                                            quote(each->name)));
    }
  }
}

// A share of a hundred: "5", "0.5", "5%".
Value<Share> share() {
  return scalar<Share>(
      {.form = Shape::Form::Text, .words = "percentage, 0.01 to 100", .pattern = "[0-9]{1,3}(\\.[0-9]{1,2})?%?"},
      [](std::string_view text) -> Result<Share> {
        const auto wrong = [&] { return fail(Code::Invalid, fmt::format("{} is no percentage", quote(text))); };
        std::string_view number = text;
        if (number.ends_with('%')) number.remove_suffix(1);
        const std::size_t point = number.find('.');
        std::string digits(number.substr(0, point));
        std::string behind(point == std::string_view::npos ? "" : number.substr(point + 1));
        const bool has_point = point != std::string_view::npos;
        if (digits.empty() || digits.size() > 3 || behind.size() > 2 || (has_point && behind.empty())) return wrong();
        behind.resize(2, '0');
        digits += behind;
        if (!std::ranges::all_of(digits, [](unsigned char c) { return std::isdigit(c) != 0; })) return wrong();
        std::uint32_t hundredths = 0;
        for (const char c : digits) hundredths = hundredths * 10 + static_cast<std::uint32_t>(c - '0');
        if (hundredths == 0) return fail(Code::Invalid, fmt::format("{} is less than 0.01", quote(text)));
        if (hundredths > 10'000) return fail(Code::Invalid, fmt::format("{} is more than 100", quote(text)));
        return Share{hundredths};
      },
      [](const Share& value) {
        std::string text = fmt::format("{}.{:02}", value.hundredths / 100, value.hundredths % 100);
        while (text.ends_with('0')) text.pop_back();
        if (text.ends_with('.')) text.pop_back();
        return text;
      });
}

void finish_fault(Fault& fault, const Node& node, Decoder& decoder) {
  if (node.find("delay") || node.find("status")) return;
  decoder.error(fault.mark, "this fault does nothing; it needs a delay or a status");
}

Value<Fault> fault_kind() {
  return section<Fault>({
      .name = "fault",
      .title = "Fault",
      .doc =
          "A failure that is made on purpose: requests held up, or answered with a status, or both. The access log's "
          "`fault` and the reason `fault_injected` say that nothing has failed.",
      .properties =
          {
              {.name = "delay",
               .doc = "Held up so long, then served. Of one worker 1,000 at once; more are served at once.",
               .example = "300ms",
               .value = field(&Fault::delay, duration({.min = 1ms, .max = 5min})),
               .default_words = "none"},
              {.name = "status",
               .doc = "Answered with it, behind the delay where there is one.",
               .example = "503",
               .value = field(&Fault::status, integer({.min = 400, .max = 599})),
               .default_words = "none"},
              {.name = "percent",
               .doc = "So many of the requests, with at most two digits behind the point.",
               .example = "0.5",
               .value = field(&Fault::percent, share())},
          },
      .finish = finish_fault,
  });
}

Value<Mirror> mirror_kind() {
  return section<Mirror>({
      .name = "mirror",
      .title = "Mirror",
      .doc =
          "Copies of requests for another group. A copy goes out when its request has been answered, whole, once, and "
          "with `X-Ballast-Mirror: 1`; the client neither waits for it nor sees anything of it. Of one worker 100 "
          "are under way at once; more are not copied.",
      .properties =
          {
              {.name = "group",
               .doc = "Where to: a group of http, https, h2c or h2.",
               .example = "shadow",
               .value = field(&Mirror::group, text({.words = "target group", .bytes_max = 64})),
               .required = true},
              {.name = "percent",
               .doc = "So many of the requests, with at most two digits behind the point.",
               .example = "10",
               .value = field(&Mirror::percent, share())},
              {.name = "body",
               .doc = "A request with a larger body is not copied.",
               .example = "256KiB",
               .value = field(&Mirror::body_bytes_max, size({.min = 0, .max = 1 * mib}))},
          },
  });
}

void check_stay(const Action& action, const Listener& listener, const Mark& mark, Decoder& decoder) {
  const auto* forward = std::get_if<Forward>(&action);
  if (forward == nullptr || !forward->stay_by.has_value()) return;
  decoder.diagnostics.error(
      mark, fmt::format("stay_by is for requests, of which a {} listener sees none", to_string(listener.protocol)));
}

}  // namespace

Value<StayBy> stay_by_kind() {
  constexpr std::size_t name_bytes_max = 128;
  return scalar<StayBy>(
      {.form = Shape::Form::Text,
       .words = "cookie, source, header:NAME or cookie:NAME",
       .pattern = "cookie|source|(header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+"},
      [](std::string_view text) -> Result<StayBy> {
        if (text == "cookie") return StayBy{StayKind::OwnCookie, ""};
        if (text == "source") return StayBy{StayKind::Source, ""};
        const std::size_t colon = text.find(':');
        const std::string_view kind = text.substr(0, colon);
        if (kind != "header" && kind != "cookie") {
          return fail(Code::Invalid, unknown_choice(kind, {"cookie", "source", "header"}));
        }
        const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
        if (!is_token(name) || name.size() > name_bytes_max) {
          return fail(Code::Invalid, fmt::format("{} names no {}; write {}:NAME", quote(text), kind, kind));
        }
        if (kind == "cookie" && name == group_cookie_name) {
          return fail(Code::Invalid, fmt::format("{} is the balancer's own; write stay_by: cookie", name));
        }
        return StayBy{kind == "header" ? StayKind::Header : StayKind::Cookie, std::string(name)};
      },
      [](const StayBy& by) -> std::string {
        switch (by.kind) {
          case StayKind::OwnCookie:
            return "cookie";
          case StayKind::Source:
            return "source";
          case StayKind::Header:
            return "header:" + by.name;
          case StayKind::Cookie:
            return "cookie:" + by.name;
        }
        return "cookie";
      });
}

Value<Maintenance> maintenance_kind() {
  return section<Maintenance>({
      .name = "maintenance",
      .title = "Maintenance",
      .doc = "What is answered, with 503, while an operator has the listener under maintenance: `ballast maintenance "
             "on LISTENER`, and `off` when it is over.",
      .properties =
          {
              {.name = "page",
               .doc = "The page, or `{ file: PATH }` with the file it stands in, which is read with this one.",
               .example = "{ file: maintenance.html }",
               .value = field(&Maintenance::page,
                              text_or_file({.words = "text, at most 64 KiB", .bytes_max = 64 * kib}, Confidence::Open)),
               .default_words = "a few words"},
              {.name = "content_type",
               .doc = "The Content-Type of the page.",
               .example = "application/json",
               .value = field(&Maintenance::content_type,
                              text({.words = "media type", .bytes_max = 256, .check = header_text_fault}))},
              {.name = "retry_after",
               .doc = "When clients may come back, in `Retry-After`.",
               .example = "10m",
               .value = field(&Maintenance::retry_after, duration({.min = 1s, .max = 24h}))},
              {.name = "except",
               .doc = "Networks whose requests are served all the same: those who look whether it is well again.",
               .example = "[10.0.0.0/8]",
               .value = field(&Maintenance::except, list(network(), {.max = 1'000, .single = Single::Alone})),
               .default_words = "none"},
          },
  });
}

int capture_count(std::string_view regex) {
  int count = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    if (c == '\\') {
      ++i;
      if (i < regex.size() && regex[i] == 'Q' && !in_class) {  // literal text up to \E
        const std::size_t end = regex.find("\\E", i);
        if (end == std::string_view::npos) break;
        i = end + 1;
      }
      continue;
    }
    if (in_class) {
      if (c == '[' && regex.substr(i).starts_with("[:")) {  // [:alpha:]
        const std::size_t end = regex.find(":]", i);
        if (end != std::string_view::npos) i = end + 1;
      } else if (c == ']') {
        in_class = false;
      }
      continue;
    }
    if (c == '[') {
      in_class = true;
      if (regex.substr(i + 1).starts_with('^')) ++i;
      if (regex.substr(i + 1).starts_with(']')) ++i;  // the first stands for itself
    } else if (c == '(') {
      const std::string_view rest = regex.substr(i + 1);
      if (!rest.starts_with('?') || rest.starts_with("?P<") || rest.starts_with("?<")) ++count;
    }
  }
  return count;
}

Property<Rule> request_headers_of_rule() {
  return {.name = "request_headers",
          .doc =
              "Headers that the target gets, in the place of those of the same name that are there. In a value "
              "`{client}`, `{request_id}`, `{host}`, `{port}`, `{path}`, `{query}` and `{protocol}` stand for the "
              "request's own. `Host` may be among them.",
          .example = "{ X-Release: canary }",
          .value = field(&Rule::request_headers, texts_by_name({.words = "header names to values",
                                                                .name = request_header_name(),
                                                                .value = header_text(),
                                                                .max = headers_max})),
          .default_words = "none"};
}

Property<Rule> remove_request_headers_of_rule() {
  return {.name = "remove_request_headers",
          .doc = "Headers that the target does not get.",
          .example = "[X-Debug]",
          .value = field(&Rule::remove_request_headers,
                         list(request_header_name(), {.max = headers_max, .single = Single::Alone})),
          .default_words = "none"};
}

Property<Rule> response_headers_of_rule() {
  return {.name = "response_headers",
          .doc =
              "Headers of the responses, in the place of those of the same name that are there, be they the "
              "target's or the listener's. Values as in `request_headers`.",
          .example = "{ Cache-Control: no-store }",
          .value = field(&Rule::response_headers, texts_by_name({.words = "header names to values",
                                                                 .name = response_header_name(),
                                                                 .value = header_text(),
                                                                 .max = headers_max})),
          .default_words = "none"};
}

Property<Rule> remove_headers_of_rule() {
  return {.name = "remove_headers",
          .doc = "Headers taken out of the responses.",
          .example = "[X-Powered-By]",
          .value =
              field(&Rule::remove_headers, list(response_header_name(), {.max = headers_max, .single = Single::Alone})),
          .default_words = "none"};
}

Property<Rule> rewrite_of_rule() {
  return {.name = "rewrite",
          .doc =
              "What the target is asked for instead of the client's path. Beside `forward`. Logs, `match` and "
              "`hash_key: path` keep to what the client sent.",
          .example = "{ strip_prefix: /api }",
          .value = field(&Rule::rewrite, rewrite_kind()),
          .default_words = "none: the client's path"};
}

Property<Rule> fault_of_rule() {
  return {.name = "fault",
          .doc =
              "Failures made on purpose, to see what becomes of them: one, or a list. Each is drawn for itself, in "
              "their order.",
          .example = "{ status: 503, percent: 1 }",
          .value = field(&Rule::faults, list(fault_kind(), {.min = 1, .max = 10, .single = Single::Alone})),
          .default_words = "none"};
}

Property<Rule> mirror_of_rule() {
  return {.name = "mirror",
          .doc = "Copies requests to another group, whose answers are read and thrown away. Beside `forward`.",
          .example = "{ group: shadow, percent: 10 }",
          .value = field(&Rule::mirror, mirror_kind()),
          .default_words = "none"};
}

void finish_shaping(Rule& rule, const Node& node, Decoder& decoder) {
  check_names(rule.request_headers, rule.remove_request_headers, node.find("request_headers"), decoder);
  check_names(rule.response_headers, rule.remove_headers, node.find("response_headers"), decoder);
  for (const NamedText& header : rule.request_headers) {
    if (!is_same(header.name, "host")) continue;
    if (const std::string fault = host_fault(header.text); !fault.empty()) {
      decoder.error(node.mark_of("request_headers"), fault);
    }
  }
  if (std::ranges::any_of(rule.remove_request_headers, [](const auto& name) { return is_same(name, "host"); })) {
    decoder.error(node.mark_of("remove_request_headers"), "no request is without Host; set it by request_headers");
  }
  if (std::holds_alternative<Forward>(rule.action)) return;
  for (const std::string_view key : {"request_headers", "remove_request_headers", "rewrite", "mirror"}) {
    if (!node.find(key)) continue;
    decoder.error(node.mark_of(key), fmt::format("{} is for rules that forward: this one asks no target", key));
  }
}

void check_shaping(const Listener& listener, Decoder& decoder) {
  if (is_http(listener.protocol)) return;
  if (listener.maintenance.has_value()) {
    decoder.diagnostics.error(listener.maintenance->mark,
                              fmt::format("a {} listener has no page to show", to_string(listener.protocol)));
  }
  if (listener.default_action.has_value()) check_stay(*listener.default_action, listener, listener.mark, decoder);
  for (const Rule& rule : listener.rules) {
    check_stay(rule.action, listener, rule.mark, decoder);
    const bool edits = !rule.request_headers.empty() || !rule.remove_request_headers.empty() ||
                       !rule.response_headers.empty() || !rule.remove_headers.empty();
    if (!edits && !rule.rewrite.has_value() && rule.faults.empty() && !rule.mirror.has_value()) continue;
    decoder.diagnostics.error(rule.mark, fmt::format("rule {}: a {} listener sees no requests that it could change",
                                                     quote(rule.name), to_string(listener.protocol)));
  }
}

}  // namespace ballast::config

// The schema of rules: what a request must be like, and the one thing that is then done with it.
#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/schema_files.h"
#include "config/schema_protection.h"
#include "config/schema_shaping.h"
#include "config/section.h"

namespace ballast::config {
namespace {

constexpr ListBounds patterns{.min = 1, .max = 100, .single = Single::Alone};

void finish_match(Match& match, const Node& node, Decoder& decoder) {
  if (match == Match{} && node.entries.empty()) {
    decoder.error(node.mark, "this match has no condition; what every request gets belongs in the listener's default");
  }
}

Value<Match> match() {
  return section<Match>({
      .name = "match",
      .title = "Match",
      .doc = "The conditions of a rule. All that are given must hold; where one has a list, any entry of it will do. "
             "In text, `*` "
             "stands for any characters and `?` for one; `{ regex: ... }` is an RE2 expression that must match the "
             "whole value.",
      .properties =
          {
              {.name = "host",
               .doc = "The host the client asked for, without its port. Compared without case.",
               .example = "[example.com, \"*.example.com\"]",
               .value = field(&Match::host, list(pattern(), patterns)),
               .default_words = "any"},
              {.name = "path",
               .doc = "The path of the request, without its query. Compared with case.",
               .example = "/api/*",
               .value = field(&Match::path, list(pattern(), patterns)),
               .default_words = "any"},
              {.name = "method",
               .doc = "The method of the request. Compared with case.",
               .example = "[GET, HEAD]",
               .value = field(&Match::method, list(method(), patterns)),
               .default_words = "any"},
              {.name = "header",
               .doc = "Headers that must be there, each with a value that matches. Values are compared without case.",
               .example = "{ X-Beta: \"1\" }",
               .value = field(&Match::header, patterns_by_name(PatternNames::Headers)),
               .default_words = "any"},
              {.name = "query",
               .doc = "Query parameters that must be there, each with a value that matches. Compared with case.",
               .example = "{ version: \"2*\" }",
               .value = field(&Match::query, patterns_by_name(PatternNames::Parameters)),
               .default_words = "any"},
              {.name = "source",
               .doc = "Networks of which the client's address must be in one; behind a trusted proxy the address that "
                      "it reports.",
               .example = "[10.0.0.0/8, \"fd00::/8\"]",
               .value = field(&Match::source, list(network(), patterns)),
               .default_words = "any"},
              {.name = "sni",
               .doc =
                   "The name that a client asks for in its TLS hello; a client that names none matches none. Compared "
                   "without case. Only of a tls listener.",
               .example = "[example.com, \"*.example.com\"]",
               .value = field(&Match::sni, list(pattern(), patterns)),
               .default_words = "any"},
          },
      .finish = finish_match,
  });
}

Value<Redirect> redirect() {
  return section<Redirect>({
      .name = "redirect",
      .title = "Redirect",
      .doc = "An answer that sends the client elsewhere.",
      .properties =
          {
              {.name = "status",
               .doc = "The status of the answer.",
               .example = "308",
               .value = field(&Redirect::status, number_of({{301, "moved permanently"},
                                                            {302, "found"},
                                                            {303, "see other: come back with GET"},
                                                            {307, "temporary, with the same method"},
                                                            {308, "permanent, with the same method"}}))},
              {.name = "to",
               .doc = "Where to. `{host}`, `{port}`, `{path}`, `{query}` and `{protocol}` stand for the request's own.",
               .example = "\"https://{host}{path}\"",
               .value = field(&Redirect::to, redirect_target()),
               .required = true},
          },
  });
}

std::string one_header_line(std::string_view value) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
      return fmt::format("{} has a character that a header cannot carry", quote(value));
    }
  }
  return "";
}

void finish_fixed_response(FixedResponse& response, const Node& node, Decoder& decoder) {
  if ((response.status == 204 || response.status == 304) && !response.body.empty()) {
    decoder.error(node.mark_of("body"), fmt::format("a response with status {} has no body", response.status));
  }
}

Value<FixedResponse> fixed_response() {
  return section<FixedResponse>({
      .name = "fixed_response",
      .title = "Fixed response",
      .doc = "An answer that the balancer gives itself.",
      .properties =
          {
              {.name = "status",
               .doc = "The status of the answer.",
               .example = "503",
               .value = field(&FixedResponse::status, integer({.min = 200, .max = 599}))},
              {.name = "content_type",
               .doc = "The Content-Type of the body.",
               .example = "text/html; charset=utf-8",
               .value = field(&FixedResponse::content_type,
                              text({.words = "media type", .bytes_max = 256, .check = one_header_line}))},
              {.name = "body",
               .doc = "The body, or `{ file: PATH }` with the file it stands in.",
               .example = "\"Back in ten minutes.\\n\"",
               .value = field(&FixedResponse::body,
                              text_or_file({.words = "text, at most 64 KiB", .bytes_max = 64 * kib}, Confidence::Open)),
               .default_words = "empty"},
          },
      .finish = finish_fixed_response,
  });
}

constexpr std::string_view forward_doc =
    "Sends the request to a target group, or to one of several by weight: `{ blue: 90, green: 10 }`, weights 0 to 999.";
constexpr std::string_view redirect_doc = "Answers with a redirect.";
constexpr std::string_view files_doc = "Answers with files of a folder.";
constexpr std::string_view fixed_response_doc = "Answers with a response of the balancer's own.";

const std::vector<std::string> actions() {
  return {"forward", "redirect", "fixed_response", "files"};
}

}  // namespace

Value<Action> action_kind() {
  return section<Action>({
      .name = "default",
      .title = "Default action",
      .doc = "What is done with a request that no rule matches; exactly one of these.",
      .properties =
          {
              {.name = "forward", .doc = forward_doc, .example = "site", .value = alternative<Action>(forward())},
              {.name = "redirect",
               .doc = redirect_doc,
               .example = "{ to: \"https://{host}{path}\" }",
               .value = alternative<Action>(redirect())},
              {.name = "fixed_response",
               .doc = fixed_response_doc,
               .example = "{ status: 404 }",
               .value = alternative<Action>(fixed_response())},
              {.name = "files",
               .doc = files_doc,
               .example = "{ root: ./public }",
               .value = alternative<Action>(files_kind())},
          },
      .exactly_one = actions(),
  });
}

Value<Rule> rule_kind() {
  return section<Rule>({
      .name = "rule",
      .title = "Rule",
      .doc = "Rules are tried in their order; the first that matches decides, with exactly one of `forward`, "
             "`redirect`, `fixed_response` and `files`.",
      .properties =
          {
              {.name = "name",
               .doc = "What logs and metrics call this rule.",
               .example = "api",
               .value = field(&Rule::name, text({.words = "name: at most 64 letters, digits, \"_\", \".\" and \"-\"",
                                                 .pattern = std::string(name_pattern),
                                                 .bytes_max = 64,
                                                 .check =
                                                     [](std::string_view value) {
                                                       return is_name(value)
                                                                  ? ""
                                                                  : fmt::format("{} is not a name", quote(value));
                                                     }})),
               .default_words = "rule-N, by its position"},
              {.name = "match",
               .doc = "What a request must be like.",
               .example = "{ path: /api/* }",
               .value = field(&Rule::match, match()),
               .required = true},
              {.name = "forward",
               .doc = forward_doc,
               .example = "site",
               .value = alternative(&Rule::action, forward())},
              {.name = "redirect",
               .doc = redirect_doc,
               .example = "{ status: 301, to: \"https://{host}/new{path}\" }",
               .value = alternative(&Rule::action, redirect())},
              {.name = "fixed_response",
               .doc = fixed_response_doc,
               .example = "{ status: 403, body: \"No.\" }",
               .value = alternative(&Rule::action, fixed_response())},
              {.name = "files",
               .doc = files_doc,
               .example = "{ root: ./public, strip_prefix: /static }",
               .value = alternative(&Rule::action, files_kind())},
              {.name = "auth",
               .doc = "Who may send such a request; `off`: anybody, also where the listener asks.",
               .example = "off",
               .value = field(&Rule::auth, auth_kind()),
               .default_words = "the listener's"},
              {.name = "cors",
               .doc = "Which pages of other origins may read the responses; `off`: no headers about it but the "
                      "target's own, also where the listener has them.",
               .example = "off",
               .value = field(&Rule::cors, cors_kind()),
               .default_words = "the listener's"},
              {.name = "priority",
               .doc = "Who is served first where requests wait for a target (`target_requests_max`).",
               .example = "high",
               .value = field(&Rule::priority, priority_kind())},
              allow_of_rule(),
              deny_of_rule(),
              rate_limits_of_rule(),
              request_headers_of_rule(),
              remove_request_headers_of_rule(),
              response_headers_of_rule(),
              remove_headers_of_rule(),
              rewrite_of_rule(),
              fault_of_rule(),
              mirror_of_rule(),
          },
      .exactly_one = actions(),
      .finish =
          [](Rule& rule, const Node& node, Decoder& decoder) {
            finish_door(rule, node, decoder);
            finish_shaping(rule, node, decoder);
          },
  });
}

}  // namespace ballast::config

// The schema of authentication: who may send a request, asked before anything is done with it.
#include <functional>

#include "config/forms.h"
#include "config/htpasswd.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/text_checks.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

// As many keys as any issuer has at once, with room.
constexpr std::size_t key_set_bytes_max = 256 * kib;

// The path of a file, relative to the configuration file it is named in. The file is read once here, so that `check`
// tells what is wrong with it; its content is read again by whoever uses it.
class CheckedFileKind final : public Kind<std::string> {
 public:
  using Check = std::function<Result<>(const std::string& content, const Decoder& decoder)>;
  CheckedFileKind(std::size_t bytes_max, Check check) : bytes_max_(bytes_max), check_(std::move(check)) {}

  Shape shape() const override { return path_->shape(); }
  void decode(const Node& node, std::string& out, Decoder& decoder) const override {
    std::string path;
    path_->decode(node, path, decoder);
    if (path.empty()) return;
    path = relative_to(decoder.diagnostics.file_name(node.mark.file), path);
    const auto content = decoder.files.read(path, bytes_max_);
    if (!content) return decoder.error(node.mark, content.error().text());
    if (const auto checked = check_(*content, decoder); !checked) {
      return decoder.error(node.mark, fmt::format("{}: {}", quote(path), checked.error().text()));
    }
    out = std::move(path);
  }
  std::string show(const std::string& value) const override { return path_->show(value); }
  void diff(const std::string& before, const std::string& after, const DiffWalk& walk) const override {
    path_->diff(before, after, walk);
  }

 private:
  std::size_t bytes_max_;
  Check check_;
  Value<std::string> path_ = text({.words = "path of a file", .check = [](std::string_view value) {
                                     return value.empty() ? "the path is empty" : "";
                                   }});
};

// Claims to the headers that carry them.
class ClaimHeadersKind final : public Kind<std::vector<ClaimHeader>> {
 public:
  Shape shape() const override {
    return {.form = Shape::Form::Map,
            .words = "map of claims to header names",
            .maximum = claims_max,
            .parts = {header_->shape()}};
  }
  void decode(const Node& node, std::vector<ClaimHeader>& out, Decoder& decoder) const override {
    if (!node.is_map()) return decoder.wrong_kind(node, shape());
    if (node.entries.size() > claims_max) {
      return decoder.error(node.mark,
                           fmt::format("{} entries are too many; at most {}", node.entries.size(), claims_max));
    }
    for (const Entry& entry : node.entries) {
      ClaimHeader& value = out.emplace_back();
      value.claim = entry.key;
      header_->decode(entry.value, value.header, decoder);
    }
  }
  std::string show(const std::vector<ClaimHeader>& values) const override {
    std::string text;
    for (const ClaimHeader& value : values) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", value.claim, value.header);
    }
    return "{ " + text + " }";
  }
  void diff(const std::vector<ClaimHeader>& before, const std::vector<ClaimHeader>& after,
            const DiffWalk& walk) const override {
    if (before != after) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  static constexpr std::size_t claims_max = 20;  // each is a header of every request
  Value<std::string> header_ = field_name();
};

// It stands between quotes in WWW-Authenticate.
Value<std::string> realm() {
  return text({.words = "text", .bytes_max = 128, .check = [](std::string_view value) -> std::string {
                 for (const char c : value) {
                   if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '"' ||
                       c == '\\') {
                     return fmt::format("{} has a character that a realm cannot have", quote(value));
                   }
                 }
                 return "";
               }});
}

Value<BasicAuth> basic() {
  const auto check_users = [](const std::string& content, const Decoder&) -> Result<> {
    const auto users = parse_htpasswd(content);
    if (!users) return fail(users.error());
    return {};
  };
  return section<BasicAuth>({
      .name = "basic",
      .title = "Basic authentication",
      .doc = "User and password (RFC 7617), which the browser asks for. Use it on connections that nobody can read.",
      .properties =
          {
              {.name = "file",
               .doc = "The users, as `htpasswd -B` writes them; only bcrypt is taken, up to a cost of 14. Relative to "
                      "this file; read again when it has changed.",
               .example = "users.htpasswd",
               .value = field(&BasicAuth::file,
                              Value<std::string>(std::make_shared<CheckedFileKind>(htpasswd_bytes_max, check_users))),
               .required = true},
              {.name = "realm",
               .doc = "What the browser shows beside its question.",
               .example = "Staff only",
               .value = field(&BasicAuth::realm, realm())},
              {.name = "header",
               .doc = "The header that tells the target the user's name; what a client sent under it is removed. "
                      "Empty: none.",
               .example = "X-Remote-User",
               .value = field(&BasicAuth::header, text({.words = "header name, or empty",
                                                        .bytes_max = 256,
                                                        .check =
                                                            [](std::string_view value) {
                                                              return value.empty() || is_token(value)
                                                                         ? ""
                                                                         : fmt::format("{} is not the name of a header",
                                                                                       quote(value));
                                                            }}))},
          },
  });
}

void finish_keys(KeySource& keys, const Node& node, Decoder& decoder) {
  if (node.find("refresh") && keys.url.empty()) {
    decoder.error(node.mark_of("refresh"), "refresh is for a url; a file is read again when it has changed");
  }
  if (node.find("ca") && !keys.url.starts_with("https://")) {
    decoder.error(node.mark_of("ca"), "ca is for an https url: what comes otherwise is not verified");
  }
}

Value<KeySource> keys() {
  const auto check_keys = [](const std::string& content, const Decoder& decoder) -> Result<> {
    return decoder.key_set_check ? decoder.key_set_check(content) : Result<>();
  };
  return section<KeySource>({
      .name = "keys",
      .title = "Keys of tokens",
      .doc = "A set of keys in JSON (JWKS, RFC 7517): RSA from 2048 bits, EC on P-256 and P-384, and secrets (`oct`) "
             "from 32 bytes. Keys of other kinds are passed over.",
      .properties =
          {
              {.name = "file",
               .doc = "A file with the keys, relative to this one; read again when it has changed.",
               .example = "issuer.jwks",
               .value = field(&KeySource::file,
                              Value<std::string>(std::make_shared<CheckedFileKind>(key_set_bytes_max, check_keys))),
               .default_words = "none"},
              {.name = "url",
               .doc = "Where the keys are fetched from; over http only on this machine or a network of your own. While "
                      "that fails the last good ones stay; before the first ones every request gets a 503.",
               .example = "https://login.example.com/realms/main/certs",
               .value = field(&KeySource::url,
                              text({.words = "http or https URL", .bytes_max = 1024, .check = fetchable_url})),
               .default_words = "none"},
              {.name = "ca",
               .doc = "PEM: the authorities that the server of an https url is verified by, instead of those that the "
                      "system trusts. Read again when it has changed.",
               .example = "internal-ca.crt",
               .value = field(&KeySource::ca, file_path()),
               .default_words = "those that the system trusts"},
              {.name = "refresh",
               .doc = "How often they are fetched anew. A token with a key that is not among them has them fetched at "
                      "once, at most every 10 s.",
               .example = "1h",
               .value = field(&KeySource::refresh, duration({.min = 10s, .max = 24h}))},
          },
      .exactly_one = {"file", "url"},
      .one_of_them = "source",
      .finish = finish_keys,
  });
}

Value<TokenAlgorithm> algorithm() {
  return one_of<TokenAlgorithm>({
      {"RS256", TokenAlgorithm::Rs256, "RSA, PKCS #1 v1.5, SHA-256"},
      {"RS384", TokenAlgorithm::Rs384, "RSA, PKCS #1 v1.5, SHA-384"},
      {"RS512", TokenAlgorithm::Rs512, "RSA, PKCS #1 v1.5, SHA-512"},
      {"PS256", TokenAlgorithm::Ps256, "RSA, PSS, SHA-256"},
      {"ES256", TokenAlgorithm::Es256, "ECDSA on P-256"},
      {"ES384", TokenAlgorithm::Es384, "ECDSA on P-384"},
      {"HS256", TokenAlgorithm::Hs256, "a shared secret, HMAC with SHA-256"},
  });
}

Value<std::string> claim_text(std::string words) {
  return text({.words = std::move(words), .bytes_max = 1024, .check = [](std::string_view value) {
                 return value.empty() ? "it is empty" : "";
               }});
}

void finish_jwt(JwtAuth& jwt, const Node& node, Decoder& decoder) {
  if (jwt.issuer.empty() && jwt.audience.empty() && jwt.require.empty()) {
    decoder.warning(node.mark,
                    "neither issuer nor audience is given: any token that one of the keys has signed is let "
                    "in, also one made for another service");
  }
}

Value<JwtAuth> jwt() {
  constexpr ListBounds any_of{.min = 1, .max = 20, .single = Single::Alone};
  return section<JwtAuth>({
      .name = "jwt",
      .title = "Tokens",
      .doc = "A signed token (JWT, RFC 7519), checked here with the issuer's keys. `none` is never an algorithm, and a "
             "public key is never taken for a secret.",
      .properties =
          {
              {.name = "keys",
               .doc = "The keys that tokens are signed with.",
               .example = "{ url: \"http://127.0.0.1:8081/certs\" }",
               .value = field(&JwtAuth::keys, keys()),
               .required = true},
              {.name = "algorithms",
               .doc = "The algorithms that a token may have.",
               .example = "[RS256, ES256]",
               .value = field(&JwtAuth::algorithms, list(algorithm(), {.min = 1, .max = 7, .single = Single::Alone})),
               .required = true},
              {.name = "issuer",
               .doc = "The token's `iss` must be this, or one of these.",
               .example = "https://login.example.com/",
               .value = field(&JwtAuth::issuer, list(claim_text("issuer"), any_of)),
               .default_words = "any"},
              {.name = "audience",
               .doc = "The token's `aud` must be this, or have one of these.",
               .example = "[shop, shop-admin]",
               .value = field(&JwtAuth::audience, list(claim_text("audience"), any_of)),
               .default_words = "any"},
              {.name = "require",
               .doc = "Claims that must be there, each with a value that matches, compared with case; of a list one "
                      "entry must, of `scope` one word. Without them: 403.",
               .example = "{ groups: admin, scope: \"read*\" }",
               .value = field(&JwtAuth::require, patterns_by_name(PatternNames::Parameters)),
               .default_words = "none"},
              {.name = "headers",
               .doc = "Claims that the target is told, and the headers for them; what a client sent under those names "
                      "is removed. A list is joined with commas, an object written as JSON.",
               .example = "{ sub: X-User, email: X-Email }",
               .value = field(&JwtAuth::headers, Value<std::vector<ClaimHeader>>(std::make_shared<ClaimHeadersKind>())),
               .default_words = "none"},
              {.name = "leeway",
               .doc = "How far clocks may differ where `exp`, `nbf` and `iat` are compared with the time.",
               .example = "1m",
               .value = field(&JwtAuth::leeway, duration({.min = 0s, .max = 10min}))},
              {.name = "require_expiry",
               .doc = "Whether a token without `exp` is refused.",
               .example = "false",
               .value = field(&JwtAuth::require_expiry, boolean())},
              {.name = "cookie",
               .doc = "The cookie that holds the token. Empty: it is in `Authorization: Bearer`.",
               .example = "session",
               .value = field(&JwtAuth::cookie, text({.words = "name of a cookie, or empty",
                                                      .bytes_max = 256,
                                                      .check =
                                                          [](std::string_view value) {
                                                            return value.empty() || is_token(value)
                                                                       ? ""
                                                                       : fmt::format("{} is not the name of a cookie",
                                                                                     quote(value));
                                                          }})),
               .default_words = "empty"},
              {.name = "realm",
               .doc = "The realm of `WWW-Authenticate`.",
               .example = "api",
               .value = field(&JwtAuth::realm, realm())},
              {.name = "user_claim",
               .doc = "The claim that the access log shows as the user.",
               .example = "preferred_username",
               .value = field(&JwtAuth::user_claim, claim_text("claim"))},
          },
      .finish = finish_jwt,
  });
}

std::string path_defect(std::string_view value) {
  if (!value.starts_with('/')) return fmt::format("{} does not begin with /", quote(value));
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '#') {
      return fmt::format("{} has a character that a path cannot have", quote(value));
    }
  }
  return "";
}

void finish_forward(ForwardAuth& forward, const Node& node, Decoder& decoder) {
  if (const Node* group = node.find("group")) forward.mark = group->mark;
  // What frames a message, or says who asked, is the balancer's to write.
  constexpr std::string_view own[] = {"host",    "connection", "content-length", "transfer-encoding", "te", "trailer",
                                      "upgrade", "keep-alive", "expect",         "proxy-connection"};
  const auto refuse = [&](const std::vector<std::string>& names, std::string_view key) {
    for (const std::string& name : names) {
      std::string lower = name;
      std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
      if (std::ranges::find(own, lower) != std::end(own)) {
        decoder.error(node.mark_of(key), fmt::format("{}: {} belongs to one connection or one message and cannot be "
                                                     "copied",
                                                     key, quote(name)));
      }
    }
  };
  refuse(forward.request_headers, "request_headers");
  refuse(forward.response_headers, "response_headers");
}

Value<ForwardAuth> forward_auth() {
  const Value<std::vector<std::string>> names = list(field_name(), {.min = 0, .max = 50, .single = Single::Alone});
  return section<ForwardAuth>({
      .name = "forward_auth",
      .title = "Forward authentication",
      .doc = "A service is asked about each request before it is passed on: with GET, without the body, and with "
             "`X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`. A 2xx lets the request pass; any other "
             "answer goes to the client as it is. No answer is a 503.",
      .properties =
          {
              {.name = "group",
               .doc = "The target group that is asked.",
               .example = "site",
               .value = field(&ForwardAuth::group, text({.words = "target group", .bytes_max = 64})),
               .required = true},
              {.name = "path",
               .doc = "The path, and the query where there is one, that it is asked for.",
               .example = "/verify",
               .value = field(&ForwardAuth::path, text({.words = "path", .bytes_max = 1024, .check = path_defect}))},
              {.name = "request_headers",
               .doc = "The client's headers that the service is given.",
               .example = "[Authorization, Cookie, X-Api-Key]",
               .value = field(&ForwardAuth::request_headers, names)},
              {.name = "response_headers",
               .doc = "The service's headers that the target is given when the request passes; what a client sent "
                      "under those names is removed.",
               .example = "[X-User, X-Groups]",
               .value = field(&ForwardAuth::response_headers, names),
               .default_words = "none"},
              {.name = "user_header",
               .doc = "The service's header that the access log shows as the user. Empty: none.",
               .example = "X-User",
               .value = field(&ForwardAuth::user_header, text({.words = "header name, or empty", .bytes_max = 256})),
               .default_words = "empty"},
              {.name = "timeout",
               .doc = "From the question to the whole answer; longer: 503.",
               .example = "2s",
               .value = field(&ForwardAuth::timeout, duration({.min = 10ms, .max = 5min}))},
          },
      .finish = finish_forward,
  });
}

}  // namespace

Value<Auth> auth_kind() {
  Value<Auth> on = section<Auth>({
      .name = "auth",
      .title = "Authentication",
      .doc = "Who may send a request; exactly one of these, asked before the action is taken.",
      .properties =
          {
              {.name = "basic",
               .doc = "User and password.",
               .example = "{ file: users.htpasswd, realm: Staff }",
               .value = alternative(&Auth::how, basic())},
              {.name = "jwt",
               .doc = "A signed token.",
               .example = "{ keys: { file: issuer.jwks }, algorithms: RS256, audience: shop }",
               .value = alternative(&Auth::how, jwt())},
              {.name = "forward",
               .doc = "A service of yours that is asked.",
               .example = "{ group: site, path: /verify }",
               .value = alternative(&Auth::how, forward_auth())},
          },
      .exactly_one = {"basic", "jwt", "forward"},
      .one_of_them = "way",
  });
  return switchable(std::move(on), &Auth::enabled);
}

}  // namespace ballast::config

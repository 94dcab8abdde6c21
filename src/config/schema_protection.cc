// The schema of what stands at the door: networks that may come, and limits of how often.
#include "config/schema_protection.h"

#include <map>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/network_file.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

// A network, `{ file: PATH }`, or a list of both. A file is read once here, so that `check` tells what is wrong with
// it; its content is read again by whoever uses it.
class NetworksKind final : public Kind<Networks> {
 public:
  // A list that everybody else is kept out by: a file without a network would keep out all.
  enum class EmptyFile { Allowed, Refused };
  explicit NetworksKind(EmptyFile empty_file) : empty_file_(empty_file) {}

  Shape shape() const override {
    const Shape network = network_->shape();
    const Shape file = file_->shape();
    const Shape either{.form = Shape::Form::AnyOf, .words = "network, or { file: PATH }", .parts = {network, file}};
    Shape list{.form = Shape::Form::List,
               .words = "list of networks and { file: PATH }",
               .minimum = 1,
               .maximum = static_cast<std::int64_t>(entries_max),
               .parts = {either}};
    return {.form = Shape::Form::AnyOf,
            .words = "network, { file: PATH }, or a list of both",
            .parts = {network, file, std::move(list)}};
  }

  void decode(const Node& node, Networks& out, Decoder& decoder) const override {
    Networks networks;
    if (!node.is_list()) {
      if (node.is_null()) return decoder.wrong_kind(node, shape());
      take(node, networks, decoder);
    } else {
      if (node.items.empty()) {
        return decoder.error(node.mark, fmt::format("the list is empty; leave {} out instead", decoder.property));
      }
      if (node.items.size() > entries_max) {
        return decoder.error(node.mark, fmt::format("{} entries are too many; at most {}. More belong into a file: {{ "
                                                    "file: networks.txt }}",
                                                    node.items.size(), entries_max));
      }
      for (const Node& item : node.items) take(item, networks, decoder);
    }
    out = std::move(networks);
  }

  std::string show(const Networks& value) const override {
    constexpr std::size_t enough_bytes = 400;  // more is cropped anyway
    std::string text = "[";
    const auto add = [&](const std::string& each) {
      if (text.size() < enough_bytes) text += fmt::format("{}{}", text.size() > 1 ? ", " : "", each);
    };
    for (const Network& network : value.networks) add(network.to_string());
    for (const std::string& file : value.files) add(fmt::format("{{ file: {} }}", file));
    return text + "]";
  }

  void diff(const Networks& before, const Networks& after, const DiffWalk& walk) const override {
    if (before != after) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  static constexpr std::size_t entries_max = 10'000;
  static constexpr std::size_t files_max = 20;  // each is looked at every second

  void take(const Node& node, Networks& out, Decoder& decoder) const {
    if (!node.is_map()) {
      network_->decode(node, out.networks.emplace_back(), decoder);
      return;
    }
    File file;
    file_->decode(node, file, decoder);
    if (file.path.empty()) return;
    if (out.files.size() == files_max) {
      return decoder.error(node.mark, fmt::format("more than {} files are too many", files_max));
    }
    const std::string path = relative_to(decoder.diagnostics.file_name(node.mark.file), file.path);
    const auto content = decoder.files.read(path, network_file_bytes_max);
    if (!content) return decoder.error(node.mark, content.error().text());
    const auto networks = parse_network_file(*content);
    if (!networks) return decoder.error(node.mark, fmt::format("{}: {}", quote(path), networks.error().text()));
    if (networks->empty() && empty_file_ == EmptyFile::Refused) {
      return decoder.error(node.mark,
                           fmt::format("{}: it holds no network, and would keep everybody out", quote(path)));
    }
    out.files.push_back(path);
  }

  struct File {
    std::string path;
  };
  EmptyFile empty_file_;
  Value<Network> network_ = network();
  Value<File> file_ = section<File>({
      .name = "network_file",
      .title = "File of networks",
      .doc = "Networks that stand in a file of their own: one a line, with comments behind `#` or `;`. It is looked at "
             "each second and read again when it has changed.",
      .properties = {{.name = "file",
                      .doc = "The file, relative to this configuration file; at most 16 MiB.",
                      .example = "blocked.txt",
                      .value = field(&File::path, text({.words = "path of a file",
                                                        .check =
                                                            [](std::string_view value) {
                                                              return value.empty() ? "the path is empty" : "";
                                                            }})),
                      .required = true}},
  });
};

Value<RateKey> rate_key() {
  constexpr std::size_t name_bytes_max = 256;
  return scalar<RateKey>(
      {.form = Shape::Form::Text,
       .words = "source, path, all, header:NAME or cookie:NAME",
       .pattern = "source|path|all|(header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+"},
      [](std::string_view text) -> Result<RateKey> {
        if (text == "source") return RateKey{RateKeyKind::Source, ""};
        if (text == "path") return RateKey{RateKeyKind::Path, ""};
        if (text == "all") return RateKey{RateKeyKind::All, ""};
        const std::size_t colon = text.find(':');
        const std::string_view kind = text.substr(0, colon);
        if (kind != "header" && kind != "cookie") {
          return fail(Code::Invalid, unknown_choice(kind, {"source", "path", "all", "header", "cookie"}));
        }
        const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
        if (!is_token(name) || name.size() > name_bytes_max) {
          return fail(Code::Invalid, fmt::format("{} names no {}; write {}:NAME", quote(text), kind, kind));
        }
        return RateKey{kind == "header" ? RateKeyKind::Header : RateKeyKind::Cookie, std::string(name)};
      },
      [](const RateKey& value) -> std::string {
        switch (value.kind) {
          case RateKeyKind::Source:
            break;
          case RateKeyKind::Path:
            return "path";
          case RateKeyKind::All:
            return "all";
          case RateKeyKind::Header:
            return "header:" + value.name;
          case RateKeyKind::Cookie:
            return "cookie:" + value.name;
        }
        return "source";
      });
}

void finish_rate_limit(RateLimit& limit, const Node& node, Decoder& decoder) {
  if (limit.requests == 0) return;  // said already
  if (limit.burst == 0) limit.burst = limit.requests;
  // Times are whole nanoseconds: so that no rate is off by more than a thousandth.
  constexpr std::uint64_t a_second_max = 1'000'000;
  const auto ms = static_cast<std::uint64_t>(limit.per.count());
  if (std::uint64_t{limit.requests} * 1'000 > a_second_max * ms) {
    decoder.error(node.mark_of("requests"), fmt::format("more than {} requests a second cannot be told apart from no "
                                                        "limit",
                                                        a_second_max));
  }
  constexpr auto whole_burst_max = std::chrono::milliseconds(30 * 24h);
  if (std::uint64_t{limit.burst} * ms / limit.requests > static_cast<std::uint64_t>(whole_burst_max.count())) {
    decoder.error(node.mark_of(node.find("burst") != nullptr ? "burst" : "requests"),
                  "a burst that was used up would take more than 30 days to be whole again");
  }
}

Value<RateLimit> rate_limit() {
  return section<RateLimit>({
      .name = "rate_limit",
      .title = "Rate limit",
      .doc =
          "So many requests in a time, of each client or by another key, all workers together. What is over it is "
          "answered with 429, the reason `rate_limited` and a `Retry-After`, before anybody is asked for a password.",
      .properties =
          {
              {.name = "name",
               .doc = "What metrics call this limit.",
               .example = "logins",
               .value = field(&RateLimit::name,
                              text({.words = "name: at most 64 letters, digits, \"_\", \".\" and \"-\"",
                                    .pattern = std::string(name_pattern),
                                    .bytes_max = 64,
                                    .check =
                                        [](std::string_view value) {
                                          return is_name(value) ? "" : fmt::format("{} is not a name", quote(value));
                                        }})),
               .default_words = "limit-N, by its position"},
              {.name = "requests",
               .doc = "So many, spread evenly over the time of `per`.",
               .example = "100",
               .value = field(&RateLimit::requests, integer({.min = 1, .max = 10'000'000})),
               .required = true},
              {.name = "per",
               .doc = "In so long.",
               .example = "1m",
               .value = field(&RateLimit::per, duration({.min = 100ms, .max = 24h}))},
              {.name = "burst",
               .doc = "So many may come at once, after a rest that is long enough.",
               .example = "200",
               .value = field(&RateLimit::burst, integer({.min = 1, .max = 10'000'000})),
               .default_words = "as many as requests"},
              {.name = "key",
               .doc = "What requests are counted by: `source`, the client's address, behind trusted proxies the one "
                      "that they report; `header:NAME` or `cookie:NAME`, where a request without it counts by its "
                      "source; `path`, without the query; `all`, everybody together.",
               .example = "header:X-Api-Key",
               .value = field(&RateLimit::key, rate_key())},
              {.name = "ipv6_prefix",
               .doc = "Addresses of IPv6 that share so many first bits count as one source: a customer has a whole /64 "
                      "at least.",
               .example = "56",
               .value = field(&RateLimit::ipv6_prefix, integer({.min = 16, .max = 128}))},
              {.name = "status",
               .doc = "The status of what is refused.",
               .example = "503",
               .value =
                   field(&RateLimit::status, number_of({{429, "too many requests"}, {503, "service unavailable"}}))},
              {.name = "except",
               .doc = "Networks whose clients have no limit.",
               .example = "[10.0.0.0/8]",
               .value = field(&RateLimit::except, list(network(), {.max = 1'000, .single = Single::Alone})),
               .default_words = "none"},
              {.name = "mode",
               .doc = "What becomes of requests over the limit.",
               .example = "report",
               .value = field(&RateLimit::mode,
                              one_of<RateMode>({
                                  {"enforce", RateMode::Enforce, "they are refused"},
                                  {"report", RateMode::Report, "they are counted in the metrics, and served"},
                              }))},
              {.name = "keys",
               .doc = "So many clients, or other keys, are kept in mind at once, each for as long as it has not rested "
                      "enough; with more, the one that is nearest to that is forgotten. 16 bytes each.",
               .example = "1000000",
               .value = field(&RateLimit::keys, integer({.min = 1'024, .max = 4'194'304}))},
          },
      .finish = finish_rate_limit,
  });
}

Value<std::vector<RateLimit>> rate_limits() {
  constexpr std::size_t limits_max = 10;  // each is asked for every request
  return list_by<RateLimit>([](const RateLimit& limit) { return limit.name; }, Order::Matters, rate_limit(),
                            {.max = limits_max, .single = Single::Alone});
}

template <typename S>
Field<S> in_door(Door S::* door, auto Door::* member, auto kind) {
  using T = std::remove_reference_t<decltype(std::declval<Door>().*member)>;
  return make_field<S, T>(
      Value<T>(std::move(kind)),
      [door, member](const S& in) -> const T* {
        const T& value = in.*door.*member;
        return value.empty() ? nullptr : &value;
      },
      [door, member](S& out, T value) { out.*door.*member = std::move(value); });
}

template <typename S>
Property<S> allow(Door S::* door, std::string_view doc) {
  return {.name = "allow",
          .doc = doc,
          .example = "[10.0.0.0/8, { file: partners.txt }]",
          .value = in_door<S>(door, &Door::allow, std::make_shared<NetworksKind>(NetworksKind::EmptyFile::Refused)),
          .default_words = "everybody"};
}

template <typename S>
Property<S> deny(Door S::* door) {
  return {.name = "deny",
          .doc = "Networks that may not come; it wins over `allow`.",
          .example = "{ file: blocked.txt }",
          .value = in_door<S>(door, &Door::deny, std::make_shared<NetworksKind>(NetworksKind::EmptyFile::Allowed)),
          .default_words = "nobody"};
}

template <typename S>
Property<S> rate_limits(Door S::* door, std::string_view doc) {
  return {.name = "rate_limits",
          .doc = doc,
          .example = "[{ requests: 100, per: 1s, burst: 200 }]",
          .value = in_door<S>(door, &Door::rate_limits, rate_limits()),
          .default_words = "none"};
}

void name_limits(std::vector<RateLimit>& limits, const Node& node, Decoder& decoder) {
  std::map<std::string, bool> names;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (limits[i].name.empty()) limits[i].name = fmt::format("limit-{}", i + 1);
    if (names.emplace(limits[i].name, true).second) continue;
    decoder.error(node.mark_of("rate_limits"), fmt::format("two limits have the name {}", quote(limits[i].name)));
  }
}

}  // namespace

Property<Listener> allow_of_listener() {
  return allow(&Listener::door,
               "Networks that may come; nobody else may. Of an http or https listener each request is judged, by the "
               "client's address behind trusted proxies, and refused with 403; elsewhere a connection is closed before "
               "anything is read, and a datagram dropped.");
}
Property<Listener> deny_of_listener() {
  return deny(&Listener::door);
}
Property<Listener> rate_limits_of_listener() {
  return rate_limits(&Listener::door,
                     "How often requests may come: all of these hold, and those of the rule as well. Only for http and "
                     "https.");
}
Property<Rule> allow_of_rule() {
  return allow(&Rule::door,
               "Networks whose requests this rule serves; those of others are refused with 403, and no other rule is "
               "tried.");
}
Property<Rule> deny_of_rule() {
  return deny(&Rule::door);
}
Property<Rule> rate_limits_of_rule() {
  return rate_limits(&Rule::door, "How often requests of this rule may come, beside the listener's limits.");
}

void finish_door(Rule& rule, const Node& node, Decoder& decoder) {
  name_limits(rule.door.rate_limits, node, decoder);
}

void finish_door(Listener& listener, const Node& node, Decoder& decoder) {
  name_limits(listener.door.rate_limits, node, decoder);
  const Node* limits = node.find("limits");
  if (listener.protocol == ListenerProtocol::Udp && listener.limits.connections_per_address.has_value()) {
    decoder.error(limits->mark_of("connections_per_address"),
                  "a udp listener has flows, not connections; write udp: { per_client: N }");
  }
  if (is_http(listener.protocol)) return;
  if (!listener.door.rate_limits.empty()) {
    decoder.error(node.mark_of("rate_limits"),
                  fmt::format("a {} listener sees no requests that it could count", to_string(listener.protocol)));
  }
  for (const Rule& rule : listener.rules) {
    if (rule.door.empty()) continue;
    decoder.diagnostics.error(
        rule.mark, fmt::format("rule {}: a {} listener sees no requests that it could refuse; allow and deny of the "
                               "listener hold for its connections",
                               quote(rule.name), to_string(listener.protocol)));
  }
}

}  // namespace ballast::config

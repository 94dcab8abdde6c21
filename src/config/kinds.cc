#include "config/kinds.h"

#include <algorithm>
#include <utility>

#include "config/units.h"

namespace ballast::config {
namespace {

std::string bounds_words(std::string_view noun, std::string_view min, std::string_view max) {
  return fmt::format("{}, {} to {}", noun, min, max);
}

Error outside(std::string_view text, std::string_view side, std::string_view bound) {
  return Error(Code::Invalid, fmt::format("{} is {} {}", quote(text), side, bound));
}

}  // namespace

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

Value<bool> boolean() {
  return scalar<bool>(
      {.form = Shape::Form::Boolean, .words = "true or false"},
      [](std::string_view text) -> Result<bool> {
        if (text == "true") return true;
        if (text == "false") return false;
        return fail(Code::Invalid, fmt::format("{} is neither true nor false", quote(text)));
      },
      [](const bool& value) { return std::string(value ? "true" : "false"); });
}

Value<Milliseconds> duration(DurationBounds bounds) {
  return scalar<Milliseconds>(
      {.form = Shape::Form::Text,
       .words = bounds_words("duration", show_duration(bounds.min), show_duration(bounds.max)),
       .pattern = "0|([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?"},
      [bounds](std::string_view text) -> Result<Milliseconds> {
        const auto value = parse_duration(text);
        if (!value) return value;
        if (*value < bounds.min) return fail(outside(text, "less than", show_duration(bounds.min)));
        if (*value > bounds.max) return fail(outside(text, "more than", show_duration(bounds.max)));
        return value;
      },
      [](const Milliseconds& value) { return show_duration(value); });
}

Value<int> percent() {
  return scalar<int>(
      {.form = Shape::Form::Text, .words = "percentage, 0% to 100%", .pattern = "(100|[0-9]{1,2})%"},
      [](std::string_view text) { return parse_percent(text); },
      [](const int& value) { return fmt::format("{}%", value); });
}

Result<std::int64_t> parse_bounded_integer(std::string_view text, IntegerBounds bounds) {
  const auto value = parse_integer(text);
  if (!value) return value;
  if (*value < bounds.min) return fail(outside(text, "less than", fmt::format("{}", bounds.min)));
  if (*value > bounds.max) return fail(outside(text, "more than", fmt::format("{}", bounds.max)));
  return value;
}

Shape integer_shape(IntegerBounds bounds) {
  return {.form = Shape::Form::Number,
          .words = fmt::format("whole number, {} to {}", bounds.min, bounds.max),
          .minimum = bounds.min,
          .maximum = bounds.max};
}

Value<int> number_of(std::vector<std::pair<int, std::string>> choices) {
  Shape shape{.form = Shape::Form::Number};
  std::vector<std::string> names;
  for (const auto& [number, doc] : choices) {
    names.push_back(fmt::format("{}", number));
    shape.choices.push_back({names.back(), doc});
  }
  shape.words = "one of " + join(names);
  return scalar<int>(
      std::move(shape),
      [choices](std::string_view text) -> Result<int> {
        for (const auto& [number, doc] : choices) {
          if (text == fmt::format("{}", number)) return number;
        }
        return fail(Code::Invalid, fmt::format("{} is not known here", quote(text)));
      },
      [](const int& value) { return fmt::format("{}", value); });
}

Result<std::uint64_t> parse_bounded_size(std::string_view text, SizeBounds bounds) {
  const auto value = parse_size(text);
  if (!value) return value;
  if (*value < bounds.min) return fail(outside(text, "less than", show_size(bounds.min)));
  if (*value > bounds.max) return fail(outside(text, "more than", show_size(bounds.max)));
  return value;
}

Shape size_shape(SizeBounds bounds) {
  const Shape number{.form = Shape::Form::Number,
                     .words = "bytes",
                     .minimum = static_cast<std::int64_t>(bounds.min),
                     .maximum = static_cast<std::int64_t>(bounds.max)};
  const Shape text{.form = Shape::Form::Text, .words = "size", .pattern = "[0-9]+([KMGT]i?)?B?"};
  return {.form = Shape::Form::AnyOf,
          .words = bounds_words("size", show_size(bounds.min), show_size(bounds.max)),
          .parts = {number, text}};
}

std::string write_size(std::uint64_t bytes) {
  return show_size(bytes);
}

Value<std::string> text(TextOf of) {
  Shape shape{.form = Shape::Form::Text,
              .words = of.words,
              .pattern = of.pattern,
              .maximum = static_cast<std::int64_t>(of.bytes_max)};
  return scalar<std::string>(
      std::move(shape),
      [of](std::string_view value) -> Result<std::string> {
        if (value.size() > of.bytes_max) {
          return fail(Code::Invalid, fmt::format("{} bytes are too many; at most {}", value.size(), of.bytes_max));
        }
        if (of.check) {
          if (auto problem = of.check(value); !problem.empty()) return fail(Code::Invalid, std::move(problem));
        }
        return std::string(value);
      },
      [](const std::string& value) { return value.empty() ? std::string("\"\"") : crop(value, 400); });
}

Shape choice_shape(std::vector<Choice> choices) {
  std::vector<std::string> names;
  for (const Choice& choice : choices) names.push_back(choice.name);
  return {.form = Shape::Form::Text, .words = "one of " + join(names), .choices = std::move(choices)};
}

std::string unknown_choice(std::string_view text, const std::vector<std::string>& names) {
  return fmt::format("{} is not known here{}", quote(text), did_you_mean(text, names));
}

Value<Address> address(AddressUse use) {
  if (use != AddressUse::Connect) {
    const bool ports = use == AddressUse::ListenOnPorts;
    return scalar<Address>(
        {.form = Shape::Form::Text,
         .words = "address: :port, host:port, [v6]:port or unix:/path",
         .pattern = ports ? "unix:/.+|.*:[0-9]+(-[0-9]+)?" : "unix:/.+|.*:[0-9]+"},
        [ports](std::string_view text) { return ports ? parse_listen_address(text) : parse_address(text); },
        [](const Address& value) { return value.to_string(); });
  }
  return scalar<Address>(
      {.form = Shape::Form::Text,
       .words = "address: host:port, [v6]:port or unix:/path",
       .pattern = "unix:/.+|.+:[0-9]+|[^:]+|\\[[0-9a-fA-F:.]+\\]"},
      [](std::string_view text) -> Result<Address> {
        auto value = parse_target_address(text);
        if (!value || value->is_unix()) return value;
        if (value->host.empty()) return fail(Code::Invalid, fmt::format("{} names no host to connect to", quote(text)));
        if (value->port == 0 && !value->same_port)
          return fail(Code::Invalid, fmt::format("{}: nothing listens on port 0", quote(text)));
        return value;
      },
      [](const Address& value) { return value.to_string(); });
}

Value<Network> network() {
  return scalar<Network>(
      {.form = Shape::Form::Text, .words = "network, such as 10.0.0.0/8", .pattern = "[0-9a-fA-F.:]+(/[0-9]+)?"},
      [](std::string_view text) { return parse_network(text); },
      [](const Network& value) { return value.to_string(); });
}

Value<std::vector<StatusRange>> status_codes() {
  const Shape number{.form = Shape::Form::Number, .words = "one status", .minimum = 100, .maximum = 599};
  const Shape several{.form = Shape::Form::Text,
                      .words = "statuses",
                      .pattern = "[1-5][0-9][0-9](-[1-5][0-9][0-9])?( *, *[1-5][0-9][0-9](-[1-5][0-9][0-9])?)*"};
  return scalar<std::vector<StatusRange>>(
      {.form = Shape::Form::AnyOf,
       .words = "statuses: \"200\", \"200,202\" or \"200-299\"",
       .parts = {number, several}},
      [](std::string_view text) { return parse_status_codes(text); },
      [](const std::vector<StatusRange>& value) { return show_status_codes(value); });
}

Value<HashKey> hash_key() {
  constexpr std::size_t name_bytes_max = 256;
  return scalar<HashKey>(
      {.form = Shape::Form::Text,
       .words = "source, path, header:NAME or cookie:NAME",
       .pattern = "source|path|(header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+"},
      [](std::string_view text) -> Result<HashKey> {
        if (text == "source") return HashKey{HashKeyKind::Source, ""};
        if (text == "path") return HashKey{HashKeyKind::Path, ""};
        const std::size_t colon = text.find(':');
        const std::string_view kind = text.substr(0, colon);
        if (kind != "header" && kind != "cookie") {
          const std::vector<std::string> names{"source", "path", "header", "cookie"};
          return fail(Code::Invalid, unknown_choice(kind, names));
        }
        const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
        if (!is_token(name) || name.size() > name_bytes_max) {
          return fail(Code::Invalid, fmt::format("{} names no {}; write {}:NAME", quote(text), kind, kind));
        }
        return HashKey{kind == "header" ? HashKeyKind::Header : HashKeyKind::Cookie, std::string(name)};
      },
      [](const HashKey& value) -> std::string {
        switch (value.kind) {
          case HashKeyKind::Source:
            return "source";
          case HashKeyKind::Path:
            return "path";
          case HashKeyKind::Header:
            return "header:" + value.name;
          case HashKeyKind::Cookie:
            return "cookie:" + value.name;
        }
        return "source";
      });
}

Value<int> workers() {
  constexpr IntegerBounds bounds{.min = 1, .max = 256};
  const Shape automatic{.form = Shape::Form::Text, .words = "auto", .choices = {{.name = "auto", .doc = ""}}};
  return scalar<int>(
      {.form = Shape::Form::AnyOf,
       .words = fmt::format("auto, or a whole number, {} to {}", bounds.min, bounds.max),
       .parts = {automatic, integer_shape(bounds)}},
      [bounds](std::string_view text) -> Result<int> {
        if (text == "auto") return 0;
        const auto value = parse_bounded_integer(text, bounds);
        if (!value) return fail(value.error());
        return static_cast<int>(*value);
      },
      [](const int& value) { return value == 0 ? std::string("auto") : fmt::format("{}", value); });
}

Value<std::string> method() {
  return text({.words = "method, such as GET",
               .pattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
               .bytes_max = 32,
               .check = [](std::string_view value) {
                 return is_token(value) ? "" : fmt::format("{} is not a method", quote(value));
               }});
}

Value<std::string> field_name() {
  return text({.words = "header name",
               .pattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
               .bytes_max = 256,
               .check = [](std::string_view value) {
                 return is_token(value) ? "" : fmt::format("{} is not the name of a header", quote(value));
               }});
}

Value<std::string> redirect_target() {
  constexpr std::string_view allowed = "{host}, {port}, {path}, {query} and {protocol}";
  const auto check = [](std::string_view value) -> std::string {
    const std::vector<std::string> known{"host", "port", "path", "query", "protocol"};
    if (!value.starts_with('/') && !value.starts_with("http://") && !value.starts_with("https://") &&
        !value.starts_with("{protocol}://")) {
      return fmt::format("{} must start with /, http://, https:// or {{protocol}}://", quote(value));
    }
    for (const char c : value) {
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) {
        return fmt::format("{} has a blank or control character; write it as %20", quote(value));
      }
    }
    for (std::size_t at = value.find_first_of("{}"); at != std::string_view::npos; at = value.find_first_of("{}", at)) {
      const std::size_t close = value[at] == '{' ? value.find('}', at) : std::string_view::npos;
      if (close == std::string_view::npos) return fmt::format("{} has a brace without its partner", quote(value));
      const std::string_view name = value.substr(at + 1, close - at - 1);
      if (std::ranges::find(known, name) == known.end()) {
        return fmt::format("unknown placeholder {}{}", quote(value.substr(at, close + 1 - at)),
                           did_you_mean(name, known));
      }
      at = close + 1;
    }
    return "";
  };
  return text({.words = fmt::format("URL or path, with {}", allowed), .bytes_max = 2048, .check = check});
}

}  // namespace ballast::config

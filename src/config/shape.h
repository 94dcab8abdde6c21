// Shape: what a value of the configuration may look like, as data.
//
// Every Kind (kind.h) tells its Shape; the JSON Schema, the reference page and the "allowed" of a diagnostic are made
// from nothing else, so they cannot say something that decoding does not do. Plain values, made when asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::config {

struct SectionShape;

struct Choice {
  std::string name;
  std::string doc;  // may be empty
};

struct Shape {
  enum class Form {
    Text,    // `pattern`, `choices`; at most `maximum` bytes
    Number,  // whole; `minimum`, `maximum`, `choices`
    Boolean,
    List,     // of parts[0], `minimum` to `maximum`
    Map,      // names (`pattern`) to parts[0], at most `maximum`
    Section,  // `section`
    AnyOf,    // one of `parts`
  };

  Form form = Form::Text;
  std::string words;    // "duration, 100ms to 5m"
  std::string pattern;  // of a whole text, or of a map's names; what ECMA 262 and RE2 share; empty: any
  std::vector<Choice> choices;
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::vector<Shape> parts;
  std::shared_ptr<const SectionShape> section;
};

struct PropertyShape {
  std::string_view name;
  std::string_view doc;
  std::string_view example;   // YAML
  std::string default_words;  // as it would be written; empty: none
  bool required = false;
  bool restart = false;  // a change needs one
  Shape shape;
};

struct SectionShape {
  std::string_view name;   // "health_check"
  std::string_view title;  // "Health check"
  std::string_view doc;
  std::vector<PropertyShape> properties;
  std::vector<std::string> exactly_one;  // of these must be given; empty: no such rule
};

}  // namespace ballast::config

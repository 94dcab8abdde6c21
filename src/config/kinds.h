// The kinds of single values: the vocabulary in which the schema (schema_*.cc) is declared.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/kind.h"
#include "config/settings.h"
#include "config/words.h"

namespace ballast::config {

// A value written as one scalar: `parse` takes its text, `write` gives it back.
template <typename T>
class ScalarKind final : public Kind<T> {
 public:
  using Parse = std::function<Result<T>(std::string_view)>;
  using Write = std::function<std::string(const T&)>;
  ScalarKind(Shape shape, Parse parse, Write write)
      : shape_(std::move(shape)), parse_(std::move(parse)), write_(std::move(write)) {}

  Shape shape() const override { return shape_; }
  void decode(const Node& node, T& out, Decoder& decoder) const override {
    if (!node.is_scalar()) return decoder.wrong_kind(node, shape_);
    if (auto value = parse_(node.text)) {
      out = std::move(*value);
    } else {
      decoder.error(node.mark, value.error().text(), shape_.words);
    }
  }
  std::string show(const T& value) const override { return write_(value); }
  void diff(const T& before, const T& after, const DiffWalk& walk) const override {
    if (!(before == after)) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  Shape shape_;
  Parse parse_;
  Write write_;
};

template <typename T>
Value<T> scalar(Shape shape, typename ScalarKind<T>::Parse parse, typename ScalarKind<T>::Write write) {
  return std::make_shared<ScalarKind<T>>(std::move(shape), std::move(parse), std::move(write));
}

Value<bool> boolean();

struct DurationBounds {
  Milliseconds min;
  Milliseconds max;
};
Value<Milliseconds> duration(DurationBounds bounds);

Value<int> percent();

// Whole numbers of any integer type: `integer({.min = 1, .max = 10})`.
struct IntegerBounds {
  std::int64_t min = 0;
  std::int64_t max = 0;
};
Result<std::int64_t> parse_bounded_integer(std::string_view text, IntegerBounds bounds);
Shape integer_shape(IntegerBounds bounds);

struct IntegerOf {
  IntegerBounds bounds;
  template <std::integral T>
  operator Value<T>() const {  // NOLINT: the member that it is put on says which T
    return scalar<T>(
        integer_shape(bounds),
        [b = bounds](std::string_view text) -> Result<T> {
          const auto value = parse_bounded_integer(text, b);
          if (!value) return fail(value.error());
          return static_cast<T>(*value);
        },
        [](const T& value) { return fmt::format("{}", value); });
  }
};
inline IntegerOf integer(IntegerBounds bounds) {
  return {bounds};
}

// One of a few numbers.
Value<int> number_of(std::vector<std::pair<int, std::string>> choices);

struct SizeBounds {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
Result<std::uint64_t> parse_bounded_size(std::string_view text, SizeBounds bounds);
Shape size_shape(SizeBounds bounds);
std::string write_size(std::uint64_t bytes);

struct SizeOf {
  SizeBounds bounds;
  template <std::unsigned_integral T>
  operator Value<T>() const {  // NOLINT: as above
    static_assert(sizeof(T) == sizeof(std::uint64_t));
    return scalar<T>(
        size_shape(bounds), [b = bounds](std::string_view text) -> Result<T> { return parse_bounded_size(text, b); },
        [](const T& value) { return write_size(value); });
  }
};
inline SizeOf size(SizeBounds bounds) {
  return {bounds};
}

// Text. `check` says what is wrong with one, or nothing.
struct TextOf {
  std::string words = "text";
  std::string pattern;
  std::size_t bytes_max = 1024;
  std::function<std::string(std::string_view)> check;
};
Value<std::string> text(TextOf of);

// As text, or `{ file: PATH }`: the file's content without the newline at its end, at most 64 KiB; the path is relative
// to the configuration file. Confidential text is never shown in a difference.
enum class Confidence { Open, Confidential };
Value<std::string> text_or_file(TextOf of, Confidence confidence);

// The path of a file, relative to the configuration file that names it; the value is as seen from the working
// directory.
Value<std::string> file_path();

// One of a few words.
template <typename E>
struct Named {
  std::string_view name;
  E value;
  std::string_view doc = {};
};
Shape choice_shape(std::vector<Choice> choices);
std::string unknown_choice(std::string_view text, const std::vector<std::string>& names);

template <typename E>
Value<E> one_of(std::vector<Named<E>> choices) {
  std::vector<Choice> named;
  std::vector<std::string> names;
  for (const Named<E>& choice : choices) {
    named.push_back({std::string(choice.name), std::string(choice.doc)});
    names.emplace_back(choice.name);
  }
  return scalar<E>(
      choice_shape(std::move(named)),
      [choices, names](std::string_view text) -> Result<E> {
        for (const Named<E>& choice : choices) {
          if (choice.name == text) return choice.value;
        }
        return fail(Code::Invalid, unknown_choice(text, names));
      },
      [choices](const E& value) -> std::string {
        for (const Named<E>& choice : choices) {
          if (choice.value == value) return std::string(choice.name);
        }
        return "?";
      });
}

enum class AddressUse { Listen, ListenOnPorts, Connect };
Value<Address> address(AddressUse use);
Value<Network> network();
Value<std::vector<StatusRange>> status_codes();
Value<HashKey> hash_key();
Value<int> workers();
// `text`, or { regex: "..." }.
Value<Pattern> pattern();
Value<std::string> method();
Value<std::string> field_name();
// Of RFC 9110, 5.6.2: what a header or a cookie may be called.
bool is_token(std::string_view text);
// Header or parameter names to patterns.
enum class PatternNames { Headers, Parameters };
Value<std::vector<NamedPattern>> patterns_by_name(PatternNames names);
// A folder that is there, relative to the configuration file.
Value<std::string> folder();
// Names to texts; each name and text as its own kind says.
struct TextsByName {
  std::string_view words;  // "header names to values"
  Value<std::string> name;
  Value<std::string> value;
  std::size_t max = 100;
};
Value<std::vector<NamedText>> texts_by_name(TextsByName of);
// A group's name, or names to weights.
Value<Forward> forward();
// Where to: text with the known placeholders.
Value<std::string> redirect_target();

}  // namespace ballast::config

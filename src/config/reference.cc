// docs/guide/reference.md from the Shapes of the schema: one chapter a section, one row a property.
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "config/schema.h"

namespace ballast::config {
namespace {

constexpr std::string_view opening = R"(# Configuration reference

This page is made from the schema in the program (`src/config/schema_*.cc`); a test compares the two. `ballast schema` prints the same
as a JSON Schema, which editors complete from, and `ballast check FILE` tells everything that is wrong with a file at once.

## How values are written

| Value | Written as |
|---|---|
| duration | whole numbers with `h`, `m`, `s` or `ms`, the largest first: `500ms`, `5s`, `1m30s`, `1h`; `0` needs no unit |
| size | bytes, or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024), `KB`, `MB`, `GB`, `TB` (powers of 1000): `64KiB`, `10MB`, `512` |
| percentage | `20%` |
| address | `host:port`, `[v6]:port`, `:port` (every address; only to listen on), `unix:/path`. In quotes where it begins with `:` or `[` |
| network | `10.0.0.0/8`, `fd00::/8`; an address alone is a network of one |
| statuses | `200`, `"200,202"`, `"200-299"` |
| pattern | text in which `*` stands for any characters and `?` for one, or `{ regex: "..." }`, an RE2 expression that must match the whole value |
| name | at most 64 letters, digits, `_`, `.` and `-`, starting with a letter or digit |

- **Environment variables** in values: `${NAME}` must be set, `${NAME:-default}` need not be; `$${` stands for the characters `${`.
- **Text from files**: where a property says so, `{ file: PATH }` stands for the content of a file, relative to the configuration file.
- **Unknown keys are errors**, and so is a key that is given twice.
- A file has at most 4 MiB; all files together at most 256, with 16 MiB and 200,000 values.
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string anchor_of(const SectionShape& section) {
  std::string anchor;
  for (const char c : section.title) {
    if (c == ' ') {
      anchor += '-';
    } else {
      anchor += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return anchor;
}

std::string link(const SectionShape& section) {
  return fmt::format("[{}](#{})", section.title, anchor_of(section));
}

class Page {
 public:
  explicit Page(const Shape& root) { chapter(*root.section); }
  std::string text() && { return std::string(opening) + body_; }

 private:
  // The value in words, with links where a section has a chapter of its own.
  std::string value_words(const Shape& shape) const {
    switch (shape.form) {
      case Shape::Form::Section:
        return link(*shape.section);
      case Shape::Form::List:
        return fmt::format("list of {}", value_words(shape.parts[0]));
      case Shape::Form::Map:
        if (shape.parts[0].form == Shape::Form::Section) return fmt::format("names to {}", value_words(shape.parts[0]));
        return shape.words;
      case Shape::Form::AnyOf: {
        if (!leads_to_section(shape)) return shape.words;
        std::string words;
        for (const Shape& part : shape.parts) words += (words.empty() ? "" : ", or ") + value_words(part);
        return words;
      }
      default:
        return shape.words;
    }
  }

  static bool leads_to_section(const Shape& shape) {
    if (shape.form == Shape::Form::Section) return shape.section->properties.size() > 1;
    for (const Shape& part : shape.parts) {
      if (leads_to_section(part)) return true;
    }
    return false;
  }

  void chapter(const SectionShape& section) {
    if (!told_.insert(std::string(section.name)).second) return;
    body_ += fmt::format("\n## {}\n\n{}\n\n", section.title, section.doc);
    body_ += "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
    for (const PropertyShape& property : section.properties) row(property);
    for (const PropertyShape& property : section.properties) choices(property.name, property.shape);
    for (const PropertyShape& property : section.properties) chapters_within(property.shape);
  }

  void row(const PropertyShape& property) {
    std::string meaning(property.doc);
    if (property.restart) meaning += " **A change needs a restart.**";
    if (!property.example.empty()) meaning += fmt::format(" Example: `{}`", property.example);
    const std::string fallback = property.required ? "required" : property.default_words;
    body_ += fmt::format("| `{}` | {} | {} | {} |\n", property.name, escaped(value_words(property.shape)),
                         escaped(fallback), escaped(meaning));
  }

  void choices(std::string_view name, const Shape& shape) {
    if (shape.choices.empty() || shape.choices[0].doc.empty()) return;
    body_ += fmt::format("\n`{}` is one of\n\n", name);
    for (const Choice& choice : shape.choices) body_ += fmt::format("- `{}`: {}\n", choice.name, choice.doc);
  }

  // A section of one property (a pattern's regex, a text's file) is told where it is used.
  void chapters_within(const Shape& shape) {
    if (shape.form == Shape::Form::Section && shape.section->properties.size() > 1) chapter(*shape.section);
    for (const Shape& part : shape.parts) chapters_within(part);
  }

  std::string body_;
  std::set<std::string> told_;
};

}  // namespace

std::string reference_markdown() {
  return Page(settings_kind()->shape()).text();
}

}  // namespace ballast::config

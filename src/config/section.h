// Section<S>: a map of the file with known keys, and the struct S of settings.h that it becomes.
//
// Declared as data (schema_*.cc): a name, what it is for, and its properties, each with its documentation, an example,
// a Field and what a change means. Defaults are not written here: they are what a fresh S holds.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/field.h"
#include "config/kind.h"
#include "config/list.h"
#include "config/words.h"

namespace ballast::config {

template <typename S>
struct Property {
  std::string_view name;
  std::string_view doc;
  std::string_view example = {};  // YAML
  Field<S> value;
  std::string_view default_words = {};  // where "what a fresh S holds" does not tell it
  bool required = false;
  bool restart = false;               // a change has no effect before a restart
  std::string_view change_note = {};  // what else a change means
};

template <typename S>
struct Section {
  std::string_view name;
  std::string_view title;
  std::string_view doc;
  std::vector<Property<S>> properties;
  std::vector<std::string> exactly_one = {};                        // keys of which one must be given
  std::string_view one_of_them = "action";                          // what each of those is
  std::function<void(S&, const Node&, Decoder&)> finish = nullptr;  // defaults and checks across properties
};

template <typename S>
class SectionKind final : public Kind<S> {
 public:
  explicit SectionKind(Section<S> section) : section_(std::move(section)) {
    for (const Property<S>& property : section_.properties) names_.emplace_back(property.name);
  }

  Shape shape() const override {
    auto section = std::make_shared<SectionShape>();
    section->name = section_.name;
    section->title = section_.title;
    section->doc = section_.doc;
    section->exactly_one = section_.exactly_one;
    const S fresh{};
    for (const Property<S>& property : section_.properties) {
      Shape shape = property.value.shape();
      std::string default_words(property.default_words);
      const bool single = shape.form != Shape::Form::Section && shape.form != Shape::Form::Map;
      if (default_words.empty() && single && !property.required)
        default_words = property.value.show(fresh).value_or("");
      section->properties.push_back({.name = property.name,
                                     .doc = property.doc,
                                     .example = property.example,
                                     .default_words = std::move(default_words),
                                     .required = property.required,
                                     .restart = property.restart,
                                     .shape = std::move(shape)});
    }
    return {
        .form = Shape::Form::Section, .words = fmt::format("{} section", section_.name), .section = std::move(section)};
  }

  void decode(const Node& node, S& out, Decoder& decoder) const override {
    if (!node.is_map() && !node.is_null()) {
      return decoder.error(node.mark, fmt::format("{} cannot stand here", node.kind_words()),
                           fmt::format("a map of {}", join(names_)));
    }
    if constexpr (requires { out.mark; }) {
      if (out.mark.line == 0) out.mark = node.mark;
    }
    const std::string_view outside = decoder.property;
    for (const Entry& entry : node.entries) {
      if (const Property<S>* property = find(entry.key)) {
        decoder.property = property->name;
        property->value.decode(entry.value, out, decoder);
        decoder.property = outside;
      } else {
        unknown(entry, decoder);
      }
    }
    Mark whole = node.mark;
    if constexpr (requires { out.mark; }) whole = out.mark;
    decoder.property = {};
    for (const Property<S>& property : section_.properties) {
      if (!property.required || node.find(property.name)) continue;
      decoder.error(whole, fmt::format("{} is missing in this {}", property.name, section_.name));
    }
    require_one(node, whole, decoder);
    if (section_.finish) section_.finish(out, node, decoder);
    decoder.property = outside;
  }

  // What differs from a fresh one, in flow style.
  std::string show(const S& value) const override {
    const S fresh{};
    std::string text;
    for (const Property<S>& property : section_.properties) {
      const auto shown = property.value.show(value);
      if (!shown || shown == property.value.show(fresh)) continue;
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", property.name, *shown);
    }
    return text.empty() ? "{}" : "{ " + text + " }";
  }

  void diff(const S& before, const S& after, const DiffWalk& walk) const override {
    for (const Property<S>& property : section_.properties) {
      property.value.diff(before, after, walk.into({property.name, property.restart, property.change_note}));
    }
  }

 private:
  // Sections are told property by property; a required one, or one of several, has none.
  bool has_default(const Property<S>& property, const Shape& shape) const {
    return shape.form != Shape::Form::Section && shape.form != Shape::Form::Map && !property.required &&
           std::ranges::find(section_.exactly_one, property.name) == section_.exactly_one.end();
  }

  const Property<S>* find(std::string_view name) const {
    for (const Property<S>& property : section_.properties) {
      if (property.name == name) return &property;
    }
    return nullptr;
  }

  void unknown(const Entry& entry, Decoder& decoder) const {
    if (decoder.diagnostics.full()) return decoder.diagnostics.error(entry.key_mark, {});
    decoder.diagnostics.error(
        entry.key_mark,
        fmt::format("unknown key {} in this {}{}", quote(entry.key), section_.name, did_you_mean(entry.key, names_)),
        {fmt::format("allowed: {}", join(names_, 40))});
  }

  void require_one(const Node& node, const Mark& whole, Decoder& decoder) const {
    if (section_.exactly_one.empty()) return;
    const std::string* first = nullptr;
    for (const std::string& name : section_.exactly_one) {
      if (!node.find(name)) continue;
      if (first) {
        decoder.error(node.mark_of(name), fmt::format("{} cannot stand beside {}: exactly one of {}", name, *first,
                                                      join(section_.exactly_one)));
      }
      first = &name;
    }
    if (!first) {
      decoder.error(whole, fmt::format("this {} has no {}; exactly one of {}", section_.name, section_.one_of_them,
                                       join(section_.exactly_one)));
    }
  }

  Section<S> section_;
  std::vector<std::string> names_;
};

template <typename S>
Value<S> section(Section<S> declared) {
  return std::make_shared<SectionKind<S>>(std::move(declared));
}

}  // namespace ballast::config

// Other forms in which a section may stand: under names of the user's choice, switched off, or as its one main value.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/kind.h"
#include "config/list.h"
#include "config/words.h"

namespace ballast::config {

// What listeners, target groups and rules may be called: it has to fit a metric's label, a path and a table's column.
inline constexpr std::string_view name_pattern = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}";
bool is_name(std::string_view text);

// A map of names to sections, kept in the order of the file; the name goes into S::name, its place into S::mark.
template <typename S>
class NamedKind final : public Kind<std::vector<S>> {
 public:
  NamedKind(Value<S> each, std::size_t max) : each_(std::move(each)), max_(max) {}

  Shape shape() const override {
    const Shape each = each_->shape();
    return {.form = Shape::Form::Map,
            .words = fmt::format("map of names to {}s", each.words),
            .pattern = std::string(name_pattern),
            .maximum = static_cast<std::int64_t>(max_),
            .parts = {each}};
  }

  void decode(const Node& node, std::vector<S>& out, Decoder& decoder) const override {
    if (!node.is_map() && !node.is_null()) return decoder.wrong_kind(node, shape());
    if (node.entries.size() > max_) {
      return decoder.error(node.mark, fmt::format("{} entries are too many; at most {}", node.entries.size(), max_));
    }
    out.reserve(node.entries.size());
    for (const Entry& entry : node.entries) {
      if (!is_name(entry.key)) {
        decoder.error(entry.key_mark, fmt::format("{} is not a name", quote(entry.key)),
                      "at most 64 letters, digits, \"_\", \".\" and \"-\", starting with a letter or digit");
      }
      S& value = out.emplace_back();
      value.name = entry.key;
      value.mark = entry.key_mark;
      each_->decode(entry.value, value, decoder);
    }
  }

  std::string show(const std::vector<S>& values) const override {
    std::string text;
    for (const S& value : values) text += fmt::format("{}{}", text.empty() ? "" : ", ", value.name);
    return "{ " + text + " }";
  }

  void diff(const std::vector<S>& before, const std::vector<S>& after, const DiffWalk& walk) const override {
    diff_by_name<S>(before, after, *each_, [](const S& value) { return value.name; }, Order::Ignored, walk);
  }

 private:
  Value<S> each_;
  std::size_t max_;
};

template <typename S>
Value<std::vector<S>> named(Value<S> each, std::size_t max) {
  return std::make_shared<NamedKind<S>>(std::move(each), max);
}

// The section, or `off`, which clears the flag at `enabled`. Scalars::AreValues: other scalars are for the
// section's own short form.
enum class Scalars { AreWrong, AreValues };

template <typename S>
class SwitchableKind final : public Kind<S> {
 public:
  SwitchableKind(Value<S> on, bool S::* enabled, Scalars scalars)
      : on_(std::move(on)), enabled_(enabled), scalars_(scalars) {}

  Shape shape() const override {
    const Shape on = on_->shape();
    const Shape off{.form = Shape::Form::Text, .words = "off", .choices = {{.name = "off", .doc = ""}}};
    return {.form = Shape::Form::AnyOf, .words = fmt::format("{}, or off", on.words), .parts = {on, off}};
  }

  void decode(const Node& node, S& out, Decoder& decoder) const override {
    if (!node.is_scalar()) return on_->decode(node, out, decoder);
    const bool is_off = node.text == "off" || node.text == "false";
    if (!is_off && scalars_ == Scalars::AreValues) return on_->decode(node, out, decoder);
    if (!is_off) {
      return decoder.error(node.mark, fmt::format("{} cannot stand here", quote(node.text)), shape().words);
    }
    out.*enabled_ = false;
  }

  std::string show(const S& value) const override { return value.*enabled_ ? on_->show(value) : "off"; }

  void diff(const S& before, const S& after, const DiffWalk& walk) const override {
    if (before.*enabled_ && after.*enabled_) return on_->diff(before, after, walk);
    if (before.*enabled_ != after.*enabled_) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  Value<S> on_;
  bool S::* enabled_;
  Scalars scalars_;
};

template <typename S>
Value<S> switchable(Value<S> on, bool S::* enabled, Scalars scalars = Scalars::AreWrong) {
  return std::make_shared<SwitchableKind<S>>(std::move(on), enabled, scalars);
}

// The section, or only the value of its property at `member`.
template <typename S, typename T>
class ShortenedKind final : public Kind<S> {
 public:
  struct Main {
    T S::* member;
    Value<T> kind;
  };
  ShortenedKind(Value<S> whole, Main main) : whole_(std::move(whole)), main_(std::move(main)) {}

  Shape shape() const override {
    const Shape whole = whole_->shape();
    const Shape main = main_.kind->shape();
    return {
        .form = Shape::Form::AnyOf, .words = fmt::format("{}, or {}", main.words, whole.words), .parts = {main, whole}};
  }

  void decode(const Node& node, S& out, Decoder& decoder) const override {
    if (node.is_map()) return whole_->decode(node, out, decoder);
    out.mark = node.mark;
    main_.kind->decode(node, out.*main_.member, decoder);
  }

  std::string show(const S& value) const override {
    S plain{};
    plain.*main_.member = value.*main_.member;
    return whole_->show(plain) == whole_->show(value) ? main_.kind->show(value.*main_.member) : whole_->show(value);
  }

  void diff(const S& before, const S& after, const DiffWalk& walk) const override { whole_->diff(before, after, walk); }

 private:
  Value<S> whole_;
  Main main_;
};

template <typename S, typename T>
Value<S> shortened(Value<S> whole, T S::* member, std::type_identity_t<Value<T>> kind) {
  return std::make_shared<ShortenedKind<S, T>>(std::move(whole),
                                               typename ShortenedKind<S, T>::Main{member, std::move(kind)});
}

}  // namespace ballast::config

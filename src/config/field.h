// Field<S>: one property's place inside a struct S, joined with the Kind of what stands there.
//
// Made from a pointer to member: of a plain T (always there), of a std::optional<T> (there when given), or of a
// variant of which it is one alternative. The three look the same to a section.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "config/kind.h"

namespace ballast::config {

template <typename S>
struct Field {
  std::function<Shape()> shape;
  std::function<void(const Node&, S&, Decoder&)> decode;
  std::function<std::optional<std::string>(const S&)> show;  // none: not there
  std::function<void(const S& before, const S& after, const DiffWalk&)> diff;
};

// `find` gives a pointer to the value or null; `set` puts one there.
template <typename S, typename T, typename Find, typename Set>
Field<S> make_field(Value<T> kind, Find find, Set set) {
  return {
      .shape = [kind] { return kind->shape(); },
      .decode =
          [kind, find, set](const Node& node, S& out, Decoder& decoder) {
            const T* there = find(out);
            T value = there ? *there : T{};
            kind->decode(node, value, decoder);
            set(out, std::move(value));
          },
      .show = [kind, find](const S& in) -> std::optional<std::string> {
        const T* there = find(in);
        return there ? std::optional(kind->show(*there)) : std::nullopt;
      },
      .diff =
          [kind, find](const S& before, const S& after, const DiffWalk& walk) {
            const T* old = find(before);
            const T* now = find(after);
            if (old && now) return kind->diff(*old, *now, walk);
            if (old || now) walk.changed({old ? kind->show(*old) : "none", now ? kind->show(*now) : "none"});
          },
  };
}

template <typename S, typename T>
Field<S> field(T S::* member, std::type_identity_t<Value<T>> kind) {
  return make_field<S, T>(
      std::move(kind), [member](const S& in) { return &(in.*member); },
      [member](S& out, T value) { out.*member = std::move(value); });
}

template <typename S, typename T>
Field<S> field(std::optional<T> S::* member, std::type_identity_t<Value<T>> kind) {
  return make_field<S, T>(
      std::move(kind), [member](const S& in) { return in.*member ? &*(in.*member) : nullptr; },
      [member](S& out, T value) { out.*member = std::move(value); });
}

// One alternative of the variant at `member`.
template <typename S, typename T, typename... Ts>
Field<S> alternative(std::variant<Ts...> S::* member, Value<T> kind) {
  return make_field<S, T>(
      std::move(kind), [member](const S& in) { return std::get_if<T>(&(in.*member)); },
      [member](S& out, T value) { out.*member = std::move(value); });
}

// One alternative of a variant that is itself the section.
template <typename S, typename T>
Field<S> alternative(Value<T> kind) {
  return make_field<S, T>(
      std::move(kind), [](const S& in) { return std::get_if<T>(&in); },
      [](S& out, T value) { out = std::move(value); });
}

}  // namespace ballast::config

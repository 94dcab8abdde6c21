// Kinds of lists, and how two collections of named things are compared.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/kind.h"

namespace ballast::config {

template <typename T>
using NameOf = std::function<std::string(const T&)>;

enum class Order { Matters, Ignored };

// Tells what came, what went and what changed in what stayed.
template <typename T>
void diff_by_name(const std::vector<T>& before, const std::vector<T>& after, const Kind<T>& kind,
                  const NameOf<T>& name_of, Order order, const DiffWalk& walk) {
  std::map<std::string, const T*> old;
  std::map<std::string, const T*> now;
  for (const T& value : before) old.emplace(name_of(value), &value);
  for (const T& value : after) now.emplace(name_of(value), &value);
  std::vector<std::string> stayed;
  for (const T& value : before) {
    const std::string name = name_of(value);
    if (!now.contains(name)) {
      walk.add(name + " removed");
    } else {
      stayed.push_back(name);
    }
  }
  std::size_t position = 0;
  bool moved = false;
  for (const T& value : after) {
    const std::string name = name_of(value);
    const auto was = old.find(name);
    if (was == old.end()) {
      walk.add(name + " added");
      continue;
    }
    moved = moved || position >= stayed.size() || stayed[position] != name;
    ++position;
    kind.diff(*was->second, value, walk.into({.name = name}));
  }
  if (moved && order == Order::Matters) walk.add("order changed");
}

// How many may stand in a list, and whether a single value may stand without the brackets.
enum class Single { InList, Alone };
struct ListBounds {
  std::size_t min = 0;
  std::size_t max = 0;
  Single single = Single::InList;
};

template <typename T>
class ListKind final : public Kind<std::vector<T>> {
 public:
  struct Naming {
    NameOf<T> name_of;  // none: the list is compared as one value
    Order order = Order::Matters;
  };
  ListKind(Value<T> item, ListBounds bounds, Naming naming)
      : item_(std::move(item)), bounds_(bounds), naming_(std::move(naming)) {}

  Shape shape() const override {
    const Shape item = item_->shape();
    Shape list{.form = Shape::Form::List,
               .words = fmt::format("list of {}", item.words),
               .minimum = static_cast<std::int64_t>(bounds_.min),
               .maximum = static_cast<std::int64_t>(bounds_.max),
               .parts = {item}};
    if (bounds_.single == Single::InList) return list;
    return {.form = Shape::Form::AnyOf,
            .words = fmt::format("{}, or a list of them", item.words),
            .parts = {item, std::move(list)}};
  }

  void decode(const Node& node, std::vector<T>& out, Decoder& decoder) const override {
    std::vector<T> values;
    if (node.is_list()) {
      if (node.items.size() > bounds_.max) {
        return decoder.error(node.mark,
                             fmt::format("{} entries are too many; at most {}", node.items.size(), bounds_.max));
      }
      if (node.items.size() < bounds_.min) {
        return decoder.error(node.mark, fmt::format("the list is empty; leave {} out instead", decoder.property));
      }
      values.reserve(node.items.size());
      for (const Node& item : node.items) item_->decode(item, values.emplace_back(), decoder);
    } else if (bounds_.single == Single::Alone && !node.is_null()) {
      item_->decode(node, values.emplace_back(), decoder);
    } else if (!node.is_null()) {
      return decoder.wrong_kind(node, shape());
    }
    out = std::move(values);
  }

  std::string show(const std::vector<T>& values) const override {
    constexpr std::size_t enough_bytes = 400;  // more is cropped anyway
    std::string text = "[";
    for (const T& value : values) {
      if (text.size() > 1) text += ", ";
      text += item_->show(value);
      if (text.size() > enough_bytes) break;
    }
    return text + "]";
  }

  void diff(const std::vector<T>& before, const std::vector<T>& after, const DiffWalk& walk) const override {
    if (naming_.name_of) return diff_by_name(before, after, *item_, naming_.name_of, naming_.order, walk);
    if (!(before == after)) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  Value<T> item_;
  ListBounds bounds_;
  Naming naming_;
};

template <typename T>
Value<std::vector<T>> list(Value<T> item, ListBounds bounds) {
  return std::make_shared<ListKind<T>>(std::move(item), bounds, typename ListKind<T>::Naming{});
}

// A list whose entries are known by a name in them: its differences are told entry by entry.
template <typename T>
Value<std::vector<T>> list_by(NameOf<T> name_of, Order order, Value<T> item, ListBounds bounds) {
  return std::make_shared<ListKind<T>>(std::move(item), bounds,
                                       typename ListKind<T>::Naming{std::move(name_of), order});
}

}  // namespace ballast::config

#include "config/tree.h"

#include <algorithm>

namespace ballast::config {

const Entry* Node::entry(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

const Node* Node::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found ? &found->value : nullptr;
}

Mark Node::mark_of(std::string_view key) const {
  const Entry* found = entry(key);
  return found ? found->key_mark : mark;
}

std::string_view Node::kind_words() const {
  switch (kind) {
    case Kind::Null:
      return "nothing";
    case Kind::Scalar:
      return "a value";
    case Kind::List:
      return "a list";
    case Kind::Map:
      return "a map";
  }
  return "nothing";
}

}  // namespace ballast::config

// Node: a configuration file as a tree of maps, lists and scalars, each with the place where it stands.
//
// Made by parse_yaml() from untrusted text; from here on nothing knows that it was YAML. Plain values; an alias has
// become a copy. Bounded by TreeLimits, so that every later step may walk the whole of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "config/diagnostics.h"

namespace ballast::config {

struct Entry;

struct Node {
  enum class Kind { Null, Scalar, List, Map };

  Kind kind = Kind::Null;
  Mark mark;
  std::string text;            // of a scalar
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order of the file; no key twice

  bool is_null() const { return kind == Kind::Null; }
  bool is_scalar() const { return kind == Kind::Scalar; }
  bool is_list() const { return kind == Kind::List; }
  bool is_map() const { return kind == Kind::Map; }
  const Entry* entry(std::string_view key) const;
  const Node* find(std::string_view key) const;
  // Where the key stands, or this node where there is no such key.
  Mark mark_of(std::string_view key) const;
  // "a list", "a map", "a value", "nothing"
  std::string_view kind_words() const;
};

struct Entry {
  std::string key;
  Mark key_mark;
  Node value;
};

struct TreeLimits {
  std::size_t bytes_max = 4 * mib;          // of one file
  int depth_max = 32;                       // the schema needs eight
  std::size_t nodes_max = 200'000;          // aliases expanded: 10,000 targets with room to spare
  std::size_t scalar_bytes_max = 16 * mib;  // aliases and variables expanded
};

// The document in `text`, which is file `file` of `diagnostics`. Errors go there; a tree comes back even then, as far
// as it was read. An empty document is Null.
Node parse_yaml(std::string_view text, int file, const TreeLimits& limits, Diagnostics& diagnostics);

}  // namespace ballast::config

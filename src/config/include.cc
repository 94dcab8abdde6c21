#include "config/include.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/expand.h"
#include "config/wildcard.h"
#include "config/words.h"

namespace ballast::config {
namespace {

std::size_t nodes_of(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += nodes_of(item);
  for (const Entry& entry : node.entries) count += 1 + nodes_of(entry.value);
  return count;
}

class Includer {
 public:
  Includer(FileReader& files, Diagnostics& diagnostics) : files_(files), diagnostics_(diagnostics) {}

  Node read(const std::string& name, std::string text) {
    bytes_ += text.size();
    const int file = diagnostics_.add_file(name, text);
    Node tree = parse_yaml(text, file, tree_limits_, diagnostics_);
    tree_limits_.nodes_max -= std::min(tree_limits_.nodes_max, nodes_of(tree));
    expand_variables(tree, tree_limits_, files_, diagnostics_);
    if (!tree.is_map()) {
      if (!tree.is_null()) {
        diagnostics_.error(tree.mark,
                           fmt::format("a configuration is a map of sections, this is {}", tree.kind_words()));
      }
      Node empty;
      empty.kind = Node::Kind::Map;
      empty.mark = {file, 0, 0};
      return empty;
    }
    const auto include = std::ranges::find(tree.entries, "include", &Entry::key);
    if (include == tree.entries.end()) return tree;
    const Entry request = std::move(*include);
    tree.entries.erase(include);
    chain_.push_back(name);
    include_all(request, name, tree);
    chain_.pop_back();
    return tree;
  }

 private:
  void include_all(const Entry& request, const std::string& from, Node& tree) {
    const Node& value = request.value;
    if (static_cast<int>(chain_.size()) > limits_.depth_max) {
      return diagnostics_.error(request.key_mark,
                                fmt::format("includes are nested more than {} levels deep", limits_.depth_max));
    }
    if (value.is_scalar()) return include_one(value, from, tree);
    if (!value.is_list()) {
      return diagnostics_.error(
          value.is_null() ? request.key_mark : value.mark,
          fmt::format("include: a file or a list of files is needed, this is {}", value.kind_words()));
    }
    for (const Node& item : value.items) {
      if (item.is_scalar()) {
        include_one(item, from, tree);
      } else {
        diagnostics_.error(item.mark,
                           fmt::format("include: the name of a file is needed, this is {}", item.kind_words()));
      }
    }
  }

  void include_one(const Node& request, const std::string& from, Node& tree) {
    if (request.text.empty() || request.text.find('\0') != std::string::npos) {
      return diagnostics_.error(request.mark, "include: the name of a file is needed");
    }
    const std::string path = relative_to(from, request.text);
    if (!has_wildcard(request.text)) return include_file(path, request.mark, tree);
    const auto found = files_.glob(path);
    if (!found) return diagnostics_.error(request.mark, "include: " + found.error().text());
    for (const std::string& name : *found) include_file(name, request.mark, tree);
  }

  void include_file(const std::string& path, const Mark& mark, Node& tree) {
    if (std::ranges::find(chain_, path) != chain_.end()) {
      std::vector<std::string> cycle(std::ranges::find(chain_, path), chain_.end());
      cycle.push_back(path);
      return diagnostics_.error(mark, fmt::format("include: {} includes itself", quote(path)),
                                {fmt::format("the cycle: {}", fmt::join(cycle, " -> "))});
    }
    const auto [first, added] = seen_.emplace(path, mark);
    if (!added) {
      return diagnostics_.error(mark, fmt::format("include: {} is included twice", quote(path)),
                                {fmt::format("first at {}", diagnostics_.place(first->second))});
    }
    if (seen_.size() > limits_.files_max) {
      if (seen_.size() == limits_.files_max + 1) {
        diagnostics_.error(mark, fmt::format("include: more than {} files", limits_.files_max));
      }
      return;
    }
    auto text = files_.read(path, std::min(tree_limits_.bytes_max, limits_.bytes_max - bytes_));
    if (!text) return diagnostics_.error(mark, "include: " + text.error().text());
    merge(read(path, std::move(*text)), tree);
  }

  void merge(Node from, Node& into) {
    std::map<std::string, std::size_t> known;
    for (std::size_t i = 0; i < into.entries.size(); ++i) known.emplace(into.entries[i].key, i);
    for (Entry& entry : from.entries) {
      const auto there = known.find(entry.key);
      if (there == known.end()) {
        into.entries.push_back(std::move(entry));
      } else if (Entry& first = into.entries[there->second]; first.value.is_map() && entry.value.is_map()) {
        join(std::move(entry), first);
      } else {
        given_twice(entry.key, entry.key_mark, first.key_mark);
      }
    }
  }

  void join(Entry from, Entry& into) {
    std::map<std::string, Mark> known;
    for (const Entry& entry : into.value.entries) known.emplace(entry.key, entry.key_mark);
    for (Entry& entry : from.value.entries) {
      const auto [first, added] = known.emplace(entry.key, entry.key_mark);
      if (added) {
        into.value.entries.push_back(std::move(entry));
      } else {
        given_twice(from.key + '.' + entry.key, entry.key_mark, first->second);
      }
    }
  }

  void given_twice(const std::string& what, const Mark& here, const Mark& first) {
    diagnostics_.error(here, fmt::format("{} is given twice", crop(what)),
                       {fmt::format("first at {}", diagnostics_.place(first))});
  }

  FileReader& files_;
  Diagnostics& diagnostics_;
  TreeLimits tree_limits_;  // what is left of them: they hold for all files together
  const IncludeLimits limits_;
  std::vector<std::string> chain_;    // the files being read now, the outermost first
  std::map<std::string, Mark> seen_;  // every file, where it was included
  std::size_t bytes_ = 0;
};

}  // namespace

Node read_tree(const std::string& name, std::string text, FileReader& files, Diagnostics& diagnostics) {
  Includer includer(files, diagnostics);
  return includer.read(relative_to("", name), std::move(text));
}

}  // namespace ballast::config

// The one file that knows yaml-cpp: its events become our Nodes, its exceptions our diagnostics.
#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/tree.h"
#include "config/words.h"

namespace ballast::config {
namespace {

// Well-formed UTF-8 (RFC 3629) without NUL: the byte that breaks it, or none.
std::optional<std::size_t> first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = c == 0     ? 0
                               : c < 0x80 ? 1
                               : c < 0xC2 ? 0
                               : c < 0xE0 ? 2
                               : c < 0xF0 ? 3
                               : c < 0xF5 ? 4
                                          : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      unsigned char low = 0x80;
      unsigned char high = 0xBF;
      if (k == 1 && c == 0xE0) low = 0xA0;   // overlong
      if (k == 1 && c == 0xED) high = 0x9F;  // surrogates
      if (k == 1 && c == 0xF0) low = 0x90;
      if (k == 1 && c == 0xF4) high = 0x8F;
      if (next < low || next > high) return i;
    }
    i += length;
  }
  return std::nullopt;
}

Mark mark_at(std::string_view text, std::size_t offset, int file) {
  const std::string_view before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {file, static_cast<int>(std::ranges::count(before, '\n')) + 1, static_cast<int>(offset - line_start) + 1};
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(int file, const TreeLimits& limits, Diagnostics& diagnostics)
      : file_(file), limits_(limits), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }
  bool stopped() const { return stopped_; }
  // The list or map that was not complete when the parser gave up.
  const Node* unfinished() const { return stack_.empty() ? nullptr : &stack_.back().node; }
  Mark mark(const YAML::Mark& at) const { return {file_, at.line + 1, at.column + 1}; }

  void OnDocumentStart(const YAML::Mark& at) override {
    if (documents_++ > 0) stop(mark(at), "a second document begins here; a configuration file is one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    Node node;
    node.mark = mark(at);
    complete(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::Scalar;
    node.mark = mark(at);
    check_tag(tag, node.mark);
    if (stopped_) return;
    node.text = value;
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    if (stopped_) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return stop(mark(at), "this alias stands inside the value that it names");
    // Counted before the copy is made: a few lines of aliases of aliases can mean billions of nodes.
    if (!count(found->second.nodes, found->second.bytes, mark(at))) return;
    if (static_cast<int>(stack_.size()) + found->second.depth > limits_.depth_max) return too_deep(mark(at));
    add(found->second.node, found->second.depth);
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::List, at, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::Map, at, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Node> key;
    bool keyed_badly = false;  // the key was no scalar; its value is dropped
    int depth = 1;             // of the deepest thing inside
    std::size_t nodes_before = 0;
    std::size_t bytes_before = 0;
  };
  struct Anchored {
    Node node;
    std::size_t nodes = 1;
    std::size_t bytes = 0;
    int depth = 1;
  };

  // The parser goes on to the end of the (bounded) text, but nothing more is kept of it.
  void stop(const Mark& at, std::string text) {
    if (stopped_) return;
    stopped_ = true;
    diagnostics_.error(at, std::move(text));
  }

  void too_deep(const Mark& at) { stop(at, fmt::format("nested more than {} levels deep", limits_.depth_max)); }

  void check_tag(const std::string& tag, const Mark& at) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    if (!stopped_) diagnostics_.error(at, fmt::format("the tag {} is not used here; remove it", quote(tag)));
  }

  bool count(std::size_t nodes, std::size_t bytes, const Mark& at) {
    if (nodes > limits_.nodes_max - nodes_) {
      stop(at, fmt::format("more than {} values, aliases included", limits_.nodes_max));
      return false;
    }
    if (bytes > limits_.scalar_bytes_max - bytes_) {
      stop(at, fmt::format("more than {} bytes of text, aliases included", limits_.scalar_bytes_max));
      return false;
    }
    nodes_ += nodes;
    bytes_ += bytes;
    return true;
  }

  void remember(YAML::anchor_t anchor, const Node& node, std::size_t nodes, std::size_t bytes, int depth) {
    if (anchor == 0 || !count(nodes, bytes, node.mark)) return;  // the copy kept here counts as well
    anchors_.insert_or_assign(anchor, Anchored{node, nodes, bytes, depth});
  }

  void complete(Node node, YAML::anchor_t anchor) {
    if (stopped_ || !count(1, node.text.size(), node.mark)) return;
    remember(anchor, node, 1, node.text.size(), 0);
    add(std::move(node), 0);
  }

  void open(Node::Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor) {
    if (stopped_) return;
    check_tag(tag, mark(at));
    if (static_cast<int>(stack_.size()) >= limits_.depth_max) return too_deep(mark(at));
    Frame frame;
    frame.node.kind = kind;
    frame.node.mark = mark(at);
    frame.anchor = anchor;
    frame.nodes_before = nodes_;
    frame.bytes_before = bytes_;
    if (!count(1, 0, frame.node.mark)) return;
    stack_.push_back(std::move(frame));
  }

  void close() {
    if (stopped_) return;
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (frame.node.is_map()) refuse_duplicates(frame.node);
    remember(frame.anchor, frame.node, nodes_ - frame.nodes_before, bytes_ - frame.bytes_before, frame.depth);
    if (!stopped_) add(std::move(frame.node), frame.depth);
  }

  void add(Node node, int depth) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    frame.depth = std::max(frame.depth, depth + 1);
    if (frame.node.is_list()) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.key) {
      if (!frame.keyed_badly) {
        if (node.is_null()) node.mark = frame.key->mark;  // yaml-cpp gives the place of what comes after
        frame.node.entries.push_back({std::move(frame.key->text), frame.key->mark, std::move(node)});
      }
      frame.key.reset();
    } else {
      frame.keyed_badly = !node.is_scalar();
      if (frame.keyed_badly) {
        diagnostics_.error(node.mark, fmt::format("{} cannot be a key; a key is a name", node.kind_words()));
      }
      frame.key = std::move(node);
    }
  }

  // Keeps the first of each name, so that the later steps see no key twice.
  void refuse_duplicates(Node& map) {
    std::unordered_map<std::string, Mark> seen;
    std::erase_if(map.entries, [&](const Entry& entry) {
      const auto [first, added] = seen.emplace(entry.key, entry.key_mark);
      if (added) return false;
      diagnostics_.error(entry.key_mark, fmt::format("the key {} is given twice", quote(entry.key)),
                         {fmt::format("first at {}", diagnostics_.place(first->second))});
      return true;
    });
  }

  const int file_;
  const TreeLimits& limits_;
  Diagnostics& diagnostics_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  Node root_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  int documents_ = 0;
  bool stopped_ = false;
};

// yaml-cpp's words, and what they leave out: where the unfinished thing begins, and the tab that nobody sees.
void explain(const YAML::ParserException& error, const TreeBuilder& builder, std::string_view text,
             Diagnostics& diagnostics) {
  const Mark mark = builder.mark(error.mark);
  std::vector<std::string> notes;
  if (const Node* open = builder.unfinished()) {
    notes.push_back(fmt::format("inside {} that begins at {}", open->kind_words(), diagnostics.place(open->mark)));
  }
  std::string_view line = line_of(text, mark.line);
  line = line.substr(0, line.find_first_not_of(" \t"));
  if (line.find('\t') != std::string_view::npos) {
    notes.emplace_back("this line is indented with a tab; YAML takes only spaces");
  }
  diagnostics.error(mark, fmt::format("not YAML: {}", crop(error.msg)), std::move(notes));
}

}  // namespace

Node parse_yaml(std::string_view text, int file, const TreeLimits& limits, Diagnostics& diagnostics) {
  const Mark whole{file, 0, 0};
  Node nothing;
  nothing.mark = whole;
  if (text.size() > limits.bytes_max) {
    diagnostics.error(whole, fmt::format("the file has more than {} bytes; split it with include", limits.bytes_max));
    return nothing;
  }
  if (const auto bad = first_bad_byte(text)) {
    diagnostics.error(mark_at(text, *bad, file), "not UTF-8 text");
    return nothing;
  }
  TreeBuilder builder(file, limits, diagnostics);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (!builder.stopped() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::ParserException& error) {
    if (!builder.stopped()) explain(error, builder, text, diagnostics);
    return nothing;
  } catch (const std::exception& error) {
    diagnostics.error(whole, fmt::format("not YAML: {}", crop(error.what())));
    return nothing;
  }
  Node root = builder.take_root();
  if (root.is_null()) root.mark = whole;
  return root;
}

}  // namespace ballast::config

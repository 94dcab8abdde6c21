// The kinds whose values may be a scalar or a small map: patterns, weighted forwards, text from files.
#include <memory>
#include <utility>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema_shaping.h"
#include "config/section.h"

namespace ballast::config {
namespace {

constexpr std::size_t pattern_bytes_max = 1024;

Value<std::string> pattern_text(std::string words) {
  return text({.words = std::move(words), .bytes_max = pattern_bytes_max, .check = [](std::string_view value) {
                 return value.empty() ? "an empty pattern matches nothing" : "";
               }});
}

class PatternKind final : public Kind<Pattern> {
 public:
  Shape shape() const override {
    return {.form = Shape::Form::AnyOf,
            .words = "text with * and ?, or { regex: ... }",
            .parts = {plain_->shape(), regex_->shape()}};
  }
  void decode(const Node& node, Pattern& out, Decoder& decoder) const override {
    if (node.is_scalar()) return plain_->decode(node, out.text, decoder);
    if (!node.is_map()) return decoder.wrong_kind(node, shape());
    regex_->decode(node, out, decoder);
  }
  std::string show(const Pattern& value) const override {
    return value.is_regex ? regex_->show(value) : plain_->show(value.text);
  }
  void diff(const Pattern& before, const Pattern& after, const DiffWalk& walk) const override {
    if (before != after) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  static void finish(Pattern& out, const Node& node, Decoder& decoder) {
    out.is_regex = true;
    const Node* regex = node.find("regex");
    if (!regex || !regex->is_scalar() || out.text.empty() || !decoder.regex_check) return;
    if (auto checked = decoder.regex_check(out.text); !checked) {
      decoder.error(regex->mark, fmt::format("regex: {} is not an RE2 expression: {}", quote(out.text),
                                             crop(checked.error().text())));
    }
  }

  Value<std::string> plain_ = pattern_text("text with * and ?");
  Value<Pattern> regex_ = section<Pattern>({
      .name = "regex",
      .title = "Regular expression",
      .doc = "A pattern as an RE2 expression. It must match the whole value.",
      .properties = {{.name = "regex",
                      .doc = "The expression, in RE2's syntax.",
                      .example = "\"/v[0-9]+/.*\"",
                      .value = field(&Pattern::text, pattern_text("RE2 expression")),
                      .required = true}},
      .finish = finish,
  });
};

class PatternsByNameKind final : public Kind<std::vector<NamedPattern>> {
 public:
  explicit PatternsByNameKind(PatternNames names) : names_(names) {}

  Shape shape() const override {
    const bool headers = names_ == PatternNames::Headers;
    return {.form = Shape::Form::Map,
            .words = fmt::format("map of {} names to patterns", headers ? "header" : "parameter"),
            .pattern = headers ? "[!#$%&'*+.^_`|~0-9A-Za-z-]+" : "",
            .maximum = names_max,
            .parts = {pattern_->shape()}};
  }
  void decode(const Node& node, std::vector<NamedPattern>& out, Decoder& decoder) const override {
    if (!node.is_map()) return decoder.wrong_kind(node, shape());
    if (node.entries.size() > names_max) {
      return decoder.error(node.mark,
                           fmt::format("{} entries are too many; at most {}", node.entries.size(), names_max));
    }
    for (const Entry& entry : node.entries) {
      NamedPattern& value = out.emplace_back();
      Node name;
      name.kind = Node::Kind::Scalar;
      name.mark = entry.key_mark;
      name.text = entry.key;
      name_->decode(name, value.name, decoder);
      pattern_->decode(entry.value, value.pattern, decoder);
    }
  }
  std::string show(const std::vector<NamedPattern>& values) const override {
    std::string text;
    for (const NamedPattern& value : values) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", value.name, pattern_->show(value.pattern));
    }
    return "{ " + text + " }";
  }
  void diff(const std::vector<NamedPattern>& before, const std::vector<NamedPattern>& after,
            const DiffWalk& walk) const override {
    if (before != after) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  static constexpr std::size_t names_max = 50;  // each is looked for in every request
  PatternNames names_;
  Value<std::string> name_ = names_ == PatternNames::Headers ? field_name() : pattern_text("name");
  Value<Pattern> pattern_ = pattern();
};

class TextsByNameKind final : public Kind<std::vector<NamedText>> {
 public:
  explicit TextsByNameKind(TextsByName of) : of_(std::move(of)) {}

  Shape shape() const override {
    return {.form = Shape::Form::Map,
            .words = fmt::format("map of {}", of_.words),
            .pattern = of_.name->shape().pattern,
            .maximum = static_cast<std::int64_t>(of_.max),
            .parts = {of_.value->shape()}};
  }
  void decode(const Node& node, std::vector<NamedText>& out, Decoder& decoder) const override {
    if (!node.is_map()) return decoder.wrong_kind(node, shape());
    if (node.entries.size() > of_.max) {
      return decoder.error(node.mark, fmt::format("{} entries are too many; at most {}", node.entries.size(), of_.max));
    }
    std::vector<NamedText> values;
    for (const Entry& entry : node.entries) {
      NamedText& value = values.emplace_back();
      Node name;
      name.kind = Node::Kind::Scalar;
      name.mark = entry.key_mark;
      name.text = entry.key;
      of_.name->decode(name, value.name, decoder);
      of_.value->decode(entry.value, value.text, decoder);
    }
    out = std::move(values);
  }
  std::string show(const std::vector<NamedText>& values) const override {
    std::string text;
    for (const NamedText& value : values) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", value.name, of_.value->show(value.text));
    }
    return "{ " + text + " }";
  }
  void diff(const std::vector<NamedText>& before, const std::vector<NamedText>& after,
            const DiffWalk& walk) const override {
    if (before != after) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  TextsByName of_;
};

class FolderKind final : public Kind<std::string> {
 public:
  Shape shape() const override { return path_->shape(); }
  void decode(const Node& node, std::string& out, Decoder& decoder) const override {
    if (!node.is_scalar()) return decoder.wrong_kind(node, shape());
    std::string path;
    path_->decode(node, path, decoder);
    if (path.empty()) return;
    auto found = decoder.files.folder(relative_to(decoder.diagnostics.file_name(node.mark.file), path));
    if (!found) return decoder.error(node.mark, found.error().text());
    out = std::move(*found);
  }
  std::string show(const std::string& value) const override { return path_->show(value); }
  void diff(const std::string& before, const std::string& after, const DiffWalk& walk) const override {
    path_->diff(before, after, walk);
  }

 private:
  Value<std::string> path_ = text({.words = "path of a folder", .check = [](std::string_view value) -> std::string {
                                     return value.empty() ? "the path is empty" : "";
                                   }});
};

class ForwardKind final : public Kind<Forward> {
 public:
  Shape shape() const override {
    return {.form = Shape::Form::AnyOf,
            .words = "target group, or target groups with weights",
            .parts = {Shape{.form = Shape::Form::Text, .words = "target group", .pattern = std::string(name_pattern)},
                      Shape{.form = Shape::Form::Map,
                            .words = "target groups with weights",
                            .pattern = std::string(name_pattern),
                            .maximum = groups_max,
                            .parts = {weight_->shape()}},
                      whole_->shape()}};
  }
  void decode(const Node& node, Forward& out, Decoder& decoder) const override {
    // A group may be called "groups": then a weight stands there.
    const Node* groups = node.is_map() ? node.find("groups") : nullptr;
    if (groups != nullptr && groups->is_map()) return whole_->decode(node, out, decoder);
    decode_groups(node, out, decoder);
  }
  void decode_groups(const Node& node, Forward& out, Decoder& decoder) const {
    Forward value{.groups = {}, .stay_by = out.stay_by};
    if (node.is_scalar()) {
      value.groups.push_back({.group = node.text, .weight = 1, .mark = node.mark});
    } else if (!node.is_map()) {
      return decoder.wrong_kind(node, shape());
    } else if (node.entries.empty() || node.entries.size() > groups_max) {
      return decoder.error(node.mark, fmt::format("1 to {} target groups are needed", groups_max));
    }
    int weights = node.is_scalar() ? 1 : 0;
    for (const Entry& entry : node.entries) {
      WeightedGroup group{.group = entry.key, .weight = 1, .mark = entry.key_mark};
      weight_->decode(entry.value, group.weight, decoder);
      weights += group.weight;
      value.groups.push_back(std::move(group));
    }
    if (weights == 0) decoder.error(node.mark, "all weights are 0; at least one must be more");
    out = std::move(value);
  }
  std::string show(const Forward& value) const override {
    return value.stay_by.has_value() ? whole_->show(value) : show_groups(value);
  }
  static std::string show_groups(const Forward& value) {
    if (value.groups.size() == 1) return value.groups[0].group;
    std::string text;
    for (const WeightedGroup& group : value.groups) {
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", group.group, group.weight);
    }
    return "{ " + text + " }";
  }
  void diff(const Forward& before, const Forward& after, const DiffWalk& walk) const override {
    if (before != after) walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  // The map of groups within the section that says more.
  class GroupsKind final : public Kind<Forward> {
   public:
    explicit GroupsKind(const ForwardKind& forward) : forward_(forward) {}
    Shape shape() const override {
      return {.form = Shape::Form::Map,
              .words = "target groups with weights",
              .pattern = std::string(name_pattern),
              .maximum = groups_max,
              .parts = {forward_.weight_->shape()}};
    }
    void decode(const Node& node, Forward& out, Decoder& decoder) const override {
      if (!node.is_map()) return decoder.wrong_kind(node, shape());
      forward_.decode_groups(node, out, decoder);
    }
    std::string show(const Forward& value) const override { return show_groups(value); }
    void diff(const Forward& before, const Forward& after, const DiffWalk& walk) const override {
      if (before.groups != after.groups) walk.changed({.before = show(before), .after = show(after)});
    }

   private:
    const ForwardKind& forward_;
  };
  Value<Forward> make_whole() const {
    auto groups = std::make_shared<GroupsKind>(*this);
    const auto self = [](auto& forward) { return &forward; };
    return section<Forward>({
        .name = "forward",
        .title = "Forward to several groups",
        .doc = "Target groups with weights, and what keeps a client with one of them.",
        .properties = {{.name = "groups",
                        .doc = "The groups with their weights, 0 to 999. Their order says who moves when weights "
                               "change: the groups share a line in this order, each client has a place on it.",
                        .example = "{ site-v2: 5, site: 95 }",
                        .value = make_field<Forward, Forward>(
                            groups, self, [](Forward& out, Forward value) { out = std::move(value); }),
                        .required = true},
                       {.name = "stay_by",
                        .doc = "By what a client stays with one of them: `cookie`, a cookie of the balancer's own, "
                               "`BALLAST_GROUP`, set with the first response; `source`, its address (of IPv6 the first "
                               "64 bits); `header:NAME` or `cookie:NAME`, the value of a header or of a cookie of the "
                               "application's, where a request without it is drawn anew. A changed weight moves only "
                               "those clients that it must.",
                        .example = "cookie",
                        .value = field(&Forward::stay_by, stay_by_kind()),
                        .default_words = "none: each request is drawn anew"}},
    });
  }

  static constexpr std::size_t groups_max = 20;
  Value<int> weight_ = integer({.min = 0, .max = 999});
  Value<Forward> whole_ = make_whole();
};

class FilePathKind final : public Kind<std::string> {
 public:
  Shape shape() const override { return plain_->shape(); }
  void decode(const Node& node, std::string& out, Decoder& decoder) const override {
    std::string path;
    plain_->decode(node, path, decoder);
    if (!path.empty()) out = relative_to(decoder.diagnostics.file_name(node.mark.file), path);
  }
  std::string show(const std::string& value) const override { return plain_->show(value); }
  void diff(const std::string& before, const std::string& after, const DiffWalk& walk) const override {
    plain_->diff(before, after, walk);
  }

 private:
  Value<std::string> plain_ = text({.words = "path of a file", .check = [](std::string_view value) {
                                      return value.empty() ? "the path is empty" : "";
                                    }});
};

class TextOrFileKind final : public Kind<std::string> {
 public:
  TextOrFileKind(Value<std::string> plain, Confidence confidence) : plain_(std::move(plain)), confidence_(confidence) {}

  Shape shape() const override {
    const Shape plain = plain_->shape();
    return {.form = Shape::Form::AnyOf,
            .words = fmt::format("{}, or {{ file: PATH }}", plain.words),
            .parts = {plain, file_->shape()}};
  }
  void decode(const Node& node, std::string& out, Decoder& decoder) const override {
    if (!node.is_map()) {
      if (!node.is_scalar()) return decoder.wrong_kind(node, shape());
      return plain_->decode(node, out, decoder);
    }
    File file;
    file_->decode(node, file, decoder);
    if (file.path.empty()) return;
    const Node& path = *node.find("file");
    constexpr std::size_t bytes_max = 64 * kib;
    auto content = decoder.files.read(relative_to(decoder.diagnostics.file_name(path.mark.file), file.path), bytes_max);
    if (!content) return decoder.error(path.mark, content.error().text());
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    Node inside;
    inside.kind = Node::Kind::Scalar;
    inside.mark = path.mark;
    inside.text = std::move(*content);
    plain_->decode(inside, out, decoder);
  }
  std::string show(const std::string& value) const override {
    return confidence_ == Confidence::Confidential && !value.empty() ? "(hidden)" : plain_->show(value);
  }
  void diff(const std::string& before, const std::string& after, const DiffWalk& walk) const override {
    if (before == after) return;
    if (confidence_ == Confidence::Confidential) return walk.add("changed (hidden)");
    walk.changed({.before = show(before), .after = show(after)});
  }

 private:
  struct File {
    std::string path;
  };
  Value<std::string> plain_;
  Confidence confidence_;
  Value<File> file_ = section<File>({
      .name = "file",
      .title = "Text from a file",
      .doc = "Text that stands in a file of its own, so that the configuration can be shown to anybody.",
      .properties =
          {{.name = "file",
            .doc = "The file, relative to this configuration file; at most 64 KiB, without the newline at its end.",
            .example = "maintenance.html",
            .value =
                field(&File::path,
                      text({.words = "path of a file",
                            .check = [](std::string_view value) { return value.empty() ? "the path is empty" : ""; }})),
            .required = true}},
  });
};

}  // namespace

Value<Pattern> pattern() {
  return std::make_shared<PatternKind>();
}

Value<std::vector<NamedPattern>> patterns_by_name(PatternNames names) {
  return std::make_shared<PatternsByNameKind>(names);
}

Value<std::vector<NamedText>> texts_by_name(TextsByName of) {
  return std::make_shared<TextsByNameKind>(std::move(of));
}

Value<std::string> folder() {
  return std::make_shared<FolderKind>();
}

Value<Forward> forward() {
  return std::make_shared<ForwardKind>();
}

Value<std::string> file_path() {
  return std::make_shared<FilePathKind>();
}

Value<std::string> text_or_file(TextOf of, Confidence confidence) {
  return std::make_shared<TextOrFileKind>(text(std::move(of)), confidence);
}

}  // namespace ballast::config

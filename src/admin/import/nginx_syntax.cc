#include "admin/import/nginx_syntax.h"

#include <optional>

#include <fmt/format.h>

namespace ballast::admin {
namespace {

// Deeper, or more, is no configuration of a server but an attack on whoever reads it.
constexpr int depth_max = 16;
constexpr int files_max = 200;
constexpr int directives_max = 100'000;

struct Token {
  enum class Kind { Word, End, Open, Close, Finish, Broken };
  Kind kind = Kind::Finish;
  std::string text;
  int line = 1;
};

class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  Token next() {
    skip_blanks();
    Token token{.kind = Token::Kind::Finish, .text = {}, .line = line_};
    if (at_ >= text_.size()) return token;
    const char c = text_[at_];
    if (c == ';' || c == '{' || c == '}') {
      ++at_;
      token.kind = c == ';' ? Token::Kind::End : c == '{' ? Token::Kind::Open : Token::Kind::Close;
      return token;
    }
    token.kind = Token::Kind::Word;
    const bool whole = c == '"' || c == '\'' ? quoted(c, token.text) : plain(token.text);
    if (!whole) token.kind = Token::Kind::Broken;
    return token;
  }

 private:
  void skip_blanks() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c == '#') {
        while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
        return;
      }
    }
  }

  // What nginx undoes inside a word; other backslashes stay, since they are mostly an expression's.
  void escaped(std::string& out) {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\\';
    switch (next) {
      case '"':
      case '\'':
        out += next;
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      default:
        out += '\\';
        out += next;
    }
    if (next == '\n') ++line_;
    at_ += 2;
  }

  bool quoted(char quote, std::string& out) {
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_];
      if (c == quote) {
        ++at_;
        return true;
      }
      if (c == '\\' && at_ + 1 < text_.size()) {
        escaped(out);
        continue;
      }
      if (c == '\n') ++line_;
      out += c;
      ++at_;
    }
    return false;
  }

  bool plain(std::string& out) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size()) {
        escaped(out);
        continue;
      }
      if (c == '$' && text_.substr(at_).starts_with("${")) {  // a variable in braces
        const std::size_t close = text_.find('}', at_);
        if (close == std::string_view::npos) return false;
        out += text_.substr(at_, close + 1 - at_);
        at_ = close + 1;
        continue;
      }
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '{' || c == '}') return true;
      out += c;
      ++at_;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

class Parser {
 public:
  Parser(const ImportSource& source, Draft& draft) : source_(source), draft_(draft) {}

  bool file(const std::string& name, std::string_view text, std::vector<NginxDirective>& out, int depth) {
    if (++files_ > files_max) return broken(name, 0, "too many files are included");
    Words words(text);
    return block(words, name, out, depth, false);
  }

 private:
  bool broken(const std::string& name, int line, std::string_view what) {
    draft_.note(name, line, fmt::format("this is no nginx configuration: {}", what));
    return false;
  }

  bool block(Words& words, const std::string& name, std::vector<NginxDirective>& out, int depth, bool is_inner) {
    if (depth > depth_max) return broken(name, 0, "blocks or includes stand too deep in one another");
    while (true) {
      Token token = words.next();
      if (token.kind == Token::Kind::Finish && !is_inner) return true;
      if (token.kind == Token::Kind::Close && is_inner) return true;
      if (token.kind != Token::Kind::Word)
        return broken(name, token.line, "a directive is missing, or a brace is too many");
      if (++directives_ > directives_max) return broken(name, token.line, "too many directives");
      NginxDirective directive{
          .name = std::move(token.text), .words = {}, .block = {}, .file = name, .line = token.line};
      for (token = words.next(); token.kind == Token::Kind::Word; token = words.next()) {
        directive.words.push_back(std::move(token.text));
      }
      if (token.kind == Token::Kind::Open) {
        directive.has_block = true;
        if (directive.name.ends_with("_by_lua_block")) {
          return broken(name, token.line, "a block of Lua cannot be read");
        }
        if (!block(words, name, directive.block, depth + 1, true)) return false;
      } else if (token.kind != Token::Kind::End) {
        return broken(name, token.line, fmt::format("{} has no end", shown(directive.name)));
      }
      if (directive.name == "include" && directive.words.size() == 1 && !directive.has_block) {
        if (!include(directive, out, depth)) return false;
      } else {
        out.push_back(std::move(directive));
      }
    }
  }

  bool include(const NginxDirective& directive, std::vector<NginxDirective>& out, int depth) {
    // Relative to the folder of the first file, wherever it stands.
    const std::string path = config::relative_to(source_.path, directive.words[0]);
    std::vector<std::string> paths{path};
    if (path.find_first_of("*?[") != std::string::npos) {
      auto found = source_.files.glob(path);
      if (!found) {
        draft_.note(directive.file, directive.line, fmt::format("include: {}", found.error().text()));
        return true;
      }
      paths = std::move(*found);
    }
    for (const std::string& each : paths) {
      const auto text = source_.files.read(each, import_bytes_max);
      if (!text) {
        draft_.note(directive.file, directive.line, fmt::format("include: {}", text.error().text()));
        continue;
      }
      if (!file(each, *text, out, depth + 1)) return false;
    }
    return true;
  }

  const ImportSource& source_;
  Draft& draft_;
  int files_ = 0;
  int directives_ = 0;
};

}  // namespace

std::string NginxDirective::text() const {
  std::string all = name;
  for (const std::string& each : words) all += ' ' + each;
  return shown(all);
}

const NginxDirective* NginxDirective::find(std::string_view wanted) const {
  const NginxDirective* found = nullptr;
  for (const NginxDirective& each : block) {
    if (each.name == wanted) found = &each;
  }
  return found;
}

std::vector<NginxDirective> parse_nginx(const ImportSource& source, Draft& draft) {
  std::vector<NginxDirective> all;
  if (!Parser(source, draft).file(source.path, source.text, all, 0)) all.clear();
  return all;
}

}  // namespace ballast::admin

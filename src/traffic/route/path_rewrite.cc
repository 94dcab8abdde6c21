#include "traffic/route/path_rewrite.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <re2/re2.h>

#include "traffic/route/pattern.h"
#include "traffic/route/percent.h"
#include "wire/http/octets.h"

namespace ballast::traffic {
namespace {

constexpr int parts_max = 10;  // \0 to \9
constexpr std::int64_t expression_memory_max = 1 << 20;

RE2::Options options() {
  RE2::Options options(RE2::Latin1);  // bytes, as in matches
  options.set_log_errors(false);
  options.set_max_mem(expression_memory_max);
  options.set_dot_nl(true);
  return options;
}

// An escape of two digits stays; a '%' that begins none is encoded itself.
void append_path(std::string& out, Bytes path) {
  while (!path.empty()) {
    const std::size_t percent = path.find('%');
    append_encoded(out, path.substr(0, percent), allowed::in_path);
    if (percent == Bytes::npos) return;
    const bool whole =
        percent + 2 < path.size() && http::is_hex_digit(path[percent + 1]) && http::is_hex_digit(path[percent + 2]);
    out += whole ? Bytes("%") : Bytes("%25");
    path.remove_prefix(percent + 1);
  }
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return (digit | 0x20) - 'a' + 10;
}

}  // namespace

bool has_dot_segment(Bytes path) {
  int dots = 0;          // of the segment, as long as it is nothing else
  bool is_plain = true;  // it has been dots alone so far
  bool in_parameters = false;
  const auto is_one = [&] { return is_plain && dots >= 1 && dots <= 2; };
  for (std::size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '%' && i + 2 < path.size() && http::is_hex_digit(path[i + 1]) && http::is_hex_digit(path[i + 2])) {
      c = static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
      i += 2;
    }
    if (c == '/' || c == '\\') {
      if (is_one()) return true;
      dots = 0;
      is_plain = true;
      in_parameters = false;
    } else if (in_parameters) {
      continue;
    } else if (c == ';') {
      in_parameters = true;  // "..;x" is ".." for servers of Java
    } else if (c == '.') {
      ++dots;
    } else {
      is_plain = false;
    }
  }
  return is_one();
}

struct PathRewrite::Expression {
  explicit Expression(std::string_view text) : compiled(re2::StringPiece(text.data(), text.size()), options()) {}
  RE2 compiled;
};

PathRewrite::~PathRewrite() = default;

Result<std::shared_ptr<const PathRewrite>> PathRewrite::compile(const config::Rewrite& rewrite) {
  std::shared_ptr<PathRewrite> made(new PathRewrite);
  made->strip_prefix_ = rewrite.strip_prefix;
  made->prefix_ = rewrite.prefix;
  if (rewrite.regex.empty()) return made;
  if (auto checked = check_regex(rewrite.regex); !checked) return fail(std::move(checked.error()).within("rewrite"));
  auto expression = std::make_unique<Expression>(rewrite.regex);
  if (!expression->compiled.ok()) {
    return fail(Code::Invalid,
                fmt::format("rewrite: not a regular expression (RE2 syntax): {}", expression->compiled.error()));
  }
  const int captures = expression->compiled.NumberOfCapturingGroups();
  std::vector<Piece>* pieces = &made->path_pieces_;
  for (std::size_t i = 0; i < rewrite.to.size(); ++i) {
    const char c = rewrite.to[i];
    if (c == '\\') {
      const int part = i + 1 < rewrite.to.size() ? rewrite.to[i + 1] - '0' : -1;
      if (part < 0 || part >= parts_max || part > captures) {
        return fail(Code::Invalid, fmt::format("rewrite to \"{}\": a \\ must be followed by the number of a part, of "
                                               "which the expression has {}",
                                               rewrite.to.substr(0, 200), captures));
      }
      pieces->push_back({.text = {}, .part = part});
      ++i;
      continue;
    }
    if (c == '?' && !made->says_query_) {
      made->says_query_ = true;
      pieces = &made->query_pieces_;
      continue;
    }
    if (pieces->empty() || pieces->back().part >= 0) pieces->emplace_back();
    pieces->back().text.push_back(c);
  }
  made->expression_ = std::move(expression);
  return made;
}

PathRewrite::Outcome PathRewrite::apply_expression(Bytes path, std::string& out, bool& has_own_query) const {
  std::array<re2::StringPiece, parts_max> parts;
  const re2::StringPiece text(path.data(), path.size());
  const int wanted = std::min(expression_->compiled.NumberOfCapturingGroups() + 1, parts_max);
  if (!expression_->compiled.Match(text, 0, text.size(), RE2::ANCHOR_BOTH, parts.data(), wanted)) {
    return Outcome::Unchanged;
  }
  const auto of = [&](const Piece& piece) {
    if (piece.part < 0) return Bytes(piece.text);
    const re2::StringPiece& part = parts[static_cast<std::size_t>(piece.part)];
    return Bytes(part.data(), part.size());
  };
  std::string raw;
  for (const Piece& piece : path_pieces_) {
    if (raw.size() + of(piece).size() > target_bytes_max) return Outcome::TooLong;
    raw += of(piece);
  }
  const std::size_t slashes = std::min(raw.find_first_not_of('/'), raw.size());
  if (slashes > 1) raw.erase(0, slashes - 1);
  append_path(out, raw);
  if (out.size() > target_bytes_max) return Outcome::TooLong;
  if (has_dot_segment(out)) return Outcome::Upwards;
  has_own_query = says_query_;
  if (!says_query_) return Outcome::Rewritten;
  out.push_back('?');
  for (const Piece& piece : query_pieces_) {
    append_encoded(out, of(piece), piece.part < 0 ? allowed::in_query : allowed::in_query_value);
    if (out.size() > target_bytes_max) return Outcome::TooLong;
  }
  return Outcome::Rewritten;
}

PathRewrite::Outcome PathRewrite::apply(const Target& target, std::string& out) const {
  out.clear();
  if (!target.path.starts_with('/')) return Outcome::Unchanged;  // "*"
  bool has_own_query = false;
  if (expression_ != nullptr) {
    if (const Outcome outcome = apply_expression(target.path, out, has_own_query); outcome != Outcome::Rewritten) {
      out.clear();
      return outcome;
    }
  } else {
    Bytes rest = target.path;
    if (!strip_prefix_.empty()) {
      if (!rest.starts_with(strip_prefix_)) return Outcome::Unchanged;
      rest.remove_prefix(strip_prefix_.size());
      if (!rest.empty() && rest.front() != '/') return Outcome::Unchanged;
    }
    // "//name" could be read as a host.
    while (rest.starts_with("//")) rest.remove_prefix(1);
    append_path(out, prefix_);
    append_path(out, rest);
    if (out.empty()) out = "/";
    if (has_dot_segment(out)) {
      out.clear();
      return Outcome::Upwards;
    }
  }
  if (target.has_query && !has_own_query) {
    out.push_back('?');
    out += target.query;
  }
  if (out.size() <= target_bytes_max) return Outcome::Rewritten;
  out.clear();
  return Outcome::TooLong;
}

}  // namespace ballast::traffic

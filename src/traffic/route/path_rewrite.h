// PathRewrite: what a target is asked for instead of the path that the client sent. Part of the Plan: immutable, any
// thread.
//
// The result begins with exactly one '/', has only bytes that a path may have, and whole percent escapes: what is none
// is encoded. It never holds a segment of dots, in whatever way those could be written ("..", "%2e%2E", "..;x",
// "..%5c"): a server that reads a path another way than this balancer must not be led out of where the rule points. It
// is bounded, and so is the time: RE2 is linear in the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"

namespace ballast::traffic {

class PathRewrite {
 public:
  // A request line's largest limit.
  static constexpr std::size_t target_bytes_max = 64 * kib;

  // The Error says what is wrong with the expression or its replacement.
  static Result<std::shared_ptr<const PathRewrite>> compile(const config::Rewrite& rewrite);
  ~PathRewrite();

  enum class Outcome : std::uint8_t { Unchanged, Rewritten, Upwards, TooLong };
  struct Target {
    Bytes path;
    Bytes query;
    bool has_query = false;
  };
  // Rewritten: `out` is path and query.
  Outcome apply(const Target& target, std::string& out) const;

 private:
  struct Expression;  // RE2, kept out of this header
  // Of the replacement: a text, or a part of what matched.
  struct Piece {
    std::string text;
    int part = -1;
  };
  PathRewrite() = default;
  Outcome apply_expression(Bytes path, std::string& out, bool& has_own_query) const;

  std::string strip_prefix_;
  std::string prefix_;
  std::unique_ptr<const Expression> expression_;
  std::vector<Piece> path_pieces_;
  std::vector<Piece> query_pieces_;
  bool says_query_ = false;
};

// Whether a segment of the path is made of dots alone, for any reader.
bool has_dot_segment(Bytes path);

}  // namespace ballast::traffic

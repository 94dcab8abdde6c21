// Diagnostics: everything found wrong with a configuration, told at once and at the place where it stands.
//
//   site.yaml:12:7: error: unknown key "intervall" of health_check; did you mean "interval"?
//     12 |       intervall: 5s
//        |       ^~~~~~~~~
//        = allowed: protocol, port, path, interval, timeout
//
// A value, filled by the steps of load() on one thread and then handed out. It owns the texts of the files it points
// into, so it can be rendered after everything else is gone. Bounded: what comes after `kept_max` is only counted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace ballast::config {

enum class Severity { Error, Warning };

struct Diagnostic {
  Severity severity = Severity::Error;
  Mark mark;
  std::string text;
  std::vector<std::string> notes;  // what is allowed, where the first one stands
};

class Diagnostics {
 public:
  // More than anybody reads, few enough that a hostile file cannot make them costly.
  static constexpr std::size_t kept_max = 200;
  static constexpr std::size_t shown_max = 50;

  // The index that marks of this file carry.
  int add_file(std::string name, std::string text);
  std::vector<std::string> file_names() const;
  const std::string& file_name(int file) const;

  // A mark of line 0 speaks of the whole file.
  void error(const Mark& mark, std::string text, std::vector<std::string> notes = {});
  void warning(const Mark& mark, std::string text, std::vector<std::string> notes = {});

  bool has_errors() const { return errors_ > 0; }
  bool empty() const { return found_.empty(); }
  // No more are kept: whoever would spend time on a good text need not.
  bool full() const { return found_.size() >= kept_max; }
  std::size_t errors() const { return errors_; }
  std::size_t warnings() const { return warnings_; }

  // By file and line; equal places in the order they were found.
  std::vector<Diagnostic> sorted() const;
  // "site.yaml:12:7"
  std::string place(const Mark& mark) const;
  // All of it, one block each, ending in a newline; the first 50, "and N more".
  std::string render() const;

 private:
  struct File {
    std::string name;
    std::string text;
  };
  void keep(Diagnostic diagnostic);
  std::string render_one(const Diagnostic& diagnostic) const;

  std::vector<File> files_;
  std::vector<Diagnostic> found_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

// The text of a line (from 1) without its end; empty past the end of `text`.
std::string_view line_of(std::string_view text, int line);

}  // namespace ballast::config

// Draft: a configuration of ours while an import puts it together, and the notes of what could not be carried over.
// finish() writes it as YAML, the notes as a comment at its top, and reads the result back: what the loader does not
// take is not handed out.
//
// A value of one import; one thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/import/import.h"

namespace ballast::admin {

// Keys with their values as YAML in flow style.
using DraftProperties = std::vector<std::pair<std::string, std::string>>;

struct DraftRule {
  std::vector<std::string> host;  // patterns as YAML; any of them
  std::vector<std::string> path;
  std::vector<std::string> method;
  std::vector<std::string> source;
  DraftProperties header;
  DraftProperties query;
  std::string auth;    // YAML; empty: none, "off": none though the listener asks
  std::string action;  // "forward: site"
  bool is_conditional() const {
    return !(host.empty() && path.empty() && method.empty() && source.empty() && header.empty() && query.empty());
  }
};

struct DraftListener {
  std::string name;
  std::string address;
  std::string protocol = "http";
  DraftProperties properties;
  std::vector<DraftRule> rules;
  DraftRule otherwise;  // its action is the default's; without a condition
};

struct DraftGroup {
  // False: the address is in the group already, where it can stand once.
  bool add_target(const std::string& address, long weight);

  std::string name;
  std::string protocol = "http";
  DraftProperties properties;
  std::vector<std::string> targets;    // as YAML
  std::vector<std::string> addresses;  // of these
};

inline constexpr std::string_view twin_text =
    "changed: the same address stands in this group before it; a target is in a group once, so give that one the "
    "weight of both";

class Draft {
 public:
  explicit Draft(const ImportSource& source) : source_(source) {}

  void note(const std::string& file, int line, std::string text);
  // A name that no other of the same list has: "site", "site-2".
  std::string name_for_group(std::string_view wanted) const;
  std::string name_for_listener(std::string_view wanted) const;

  std::vector<DraftListener> listeners;
  std::vector<DraftGroup> groups;
  DraftProperties properties;  // of the whole file

  Imported finish(std::string_view from);

 private:
  std::string render(std::string_view from) const;

  // More is not read by anybody; the count of the rest is said.
  static constexpr std::size_t notes_max = 1000;
  const ImportSource& source_;
  std::vector<Note> notes_;
  std::size_t notes_left_out_ = 0;
};

// "{ a: 1, b: 2 }"
std::string yaml_map(const DraftProperties& properties);
// "[ a, b ]"
std::string yaml_list(const std::vector<std::string>& items);
// "{ regex: \"...\" }"
std::string yaml_regex(std::string_view expression);
// A pattern that matches exactly this text, or what begins with it; a regular expression where wildcards stand in it.
enum class Extent { Whole, Prefix, Suffix, Part };
std::string yaml_pattern(std::string_view text, Extent extent);
// "{ fixed_response: ... }" inside: a request that we must not pass on, because what guarded it was not carried over.
std::string closed_action(int status, std::string_view words);

// A PCRE expression as one of RE2 that must match a whole value; empty: RE2 has no counterpart, or it is not one.
struct Expression {
  std::string_view text;
  bool ignores_case = false;
};
std::string whole_expression(const Expression& pcre);

// What a comment or a note may show of a file's text: one line, no control characters.
std::string shown(std::string_view text);

}  // namespace ballast::admin

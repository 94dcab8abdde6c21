// haproxy.cfg: each address of a frontend becomes a listener, its conditions rules in their order, a backend a target
// group. Defaults are inherited as HAProxy does it: a section's own lines come behind those of its defaults.
//
// A line that has no counterpart is a note. One that denies and cannot be carried over denies more, never less.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "admin/import/draft.h"

namespace ballast::admin {

struct HaproxyLine {
  std::vector<std::string> words;
  int line = 0;
  std::string word(std::size_t index) const { return index < words.size() ? words[index] : std::string(); }
  bool has(std::string_view word) const;
  std::string after(std::string_view word) const;  // the word behind that one; empty: none
  std::string text() const;
};

struct HaproxySection {
  std::string kind;  // "frontend"
  std::string name;
  std::vector<HaproxyLine> lines;  // with those of its defaults in front
  std::size_t inherited = 0;       // how many those are
  int line = 0;
};

// Empty with a note where it is no such file.
std::vector<HaproxySection> parse_haproxy(const ImportSource& source, Draft& draft);

// One test of an ACL: any of the patterns on one part of a request.
struct HaproxyTest {
  enum class Part { Host, Path, Method, Source, Header, Query, Never, Always, Unknown };
  Part part = Part::Unknown;
  std::string name;                   // of a header or parameter
  std::vector<std::string> patterns;  // as YAML
};

class HaproxyReader {
 public:
  explicit HaproxyReader(Draft& draft) : draft_(draft) {}
  void read(const std::vector<HaproxySection>& sections);

 private:
  struct Bind {
    std::string address;
    bool is_tls = false;
    const HaproxyLine* line = nullptr;
  };
  // The rules that a condition stands for; `exact` is false where a part of it could not be said, and they hold more
  // often.
  struct Matches {
    std::vector<DraftRule> rules;
    bool exact = true;
  };
  using Acls = std::map<std::string, std::vector<HaproxyTest>>;

  void left_out(const HaproxyLine& line, std::string_view why);
  // haproxy_read.cc
  void frontend(const HaproxySection& section);
  void listener(const HaproxySection& section, const Bind& bind, const std::string& name);
  std::vector<Bind> binds_of(const HaproxySection& section);
  void settings_of(const HaproxySection& section, DraftListener& listener);

  // haproxy_rules.cc
  HaproxyTest test_of(const std::vector<std::string>& words, bool is_tls) const;
  // Of the words behind `if` or `unless`; none: there is no condition.
  Matches matches_of(const std::vector<std::string>& words, std::size_t from, const Acls& acls, bool is_tls) const;
  bool request_rule(const HaproxyLine& line, const Acls& acls, bool is_tls, DraftListener& listener);
  void redirect(const HaproxyLine& line, std::size_t from, const Acls& acls, bool is_tls, DraftListener& listener);
  void add(Matches matches, const std::string& action, DraftListener& listener);

  // haproxy_backend.cc
  std::string group_for(const std::string& backend, const std::string& mode);  // empty: there is none
  void backend(const HaproxySection& section, DraftGroup& group);
  void server(const HaproxyLine& line, const std::vector<std::string>& defaults, DraftGroup& group);
  void health(const HaproxySection& section, DraftGroup& group);

  Draft& draft_;
  std::map<std::string, const HaproxySection*> backends_;  // `listen` sections too
  std::map<std::string, std::string> group_of_;
  std::set<int> said_;                                // lines that have a note: defaults are read for every section
  std::map<std::string, std::string> check_options_;  // of the servers of the group being made
  bool closed_ = false;                               // everything behind a rule for all requests is out of reach
};

std::optional<long> haproxy_milliseconds(std::string_view text);
std::string haproxy_duration(long ms, long min, long max);

Imported read_haproxy(const ImportSource& source);
bool recognises_haproxy(std::string_view file_name, std::string_view text);

}  // namespace ballast::admin

// The syntax of nginx's configuration: words, quotes, blocks and includes, without their meaning.
#pragma once

#include <string>
#include <vector>

#include "admin/import/draft.h"

namespace ballast::admin {

struct NginxDirective {
  std::string name;
  std::vector<std::string> words;  // behind the name
  std::vector<NginxDirective> block;
  bool has_block = false;
  std::string file;
  int line = 0;

  // "proxy_pass http://app", for notes.
  std::string text() const;
  std::string word(std::size_t index) const { return index < words.size() ? words[index] : std::string(); }
  // The last of that name in the block; nullptr: none.
  const NginxDirective* find(std::string_view wanted) const;
};

// Everything, with the files that `include` names put in their place. Empty with a note where it is no such file.
std::vector<NginxDirective> parse_nginx(const ImportSource& source, Draft& draft);

}  // namespace ballast::admin

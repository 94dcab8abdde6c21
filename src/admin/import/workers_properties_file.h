// PropertyFile: the lines of a workers.properties, with $(variables) put in and references followed, and which of them
// have been of use. Pure but for the environment.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/import/import.h"

namespace ballast::admin {

class PropertyFile {
 public:
  struct Property {
    std::string key;
    std::string value;
    int line = 0;
    bool settled = false;  // carried over, or named in a note
  };

  // What is no property is noted.
  PropertyFile(const ImportSource& source, std::vector<Note>& notes);

  // The property of that name, settled by being asked for; nullptr: there is none.
  Property* find(const std::string& key);
  // Of `worker`, or of what it refers to (worker.NAME.reference), the nearest first.
  Property* find(const std::string& worker, std::string_view name);
  // Without settling it.
  bool has(const std::string& worker, std::string_view name) const;

  // In the order of the file.
  std::vector<Property>& all() { return properties_; }
  // "NAME" of "worker.NAME.property"; empty for others.
  static std::string worker_of(std::string_view key);

 private:
  void add(std::string key, std::string value, int line, std::vector<Note>& notes);
  std::string expanded(std::string_view value, config::FileReader& files) const;
  const Property* look(const std::string& key) const;
  const Property* look(const std::string& worker, std::string_view name) const;

  std::vector<Property> properties_;
  std::map<std::string, std::size_t, std::less<>> by_key_;
};

// The words of "a, b c", without empty ones.
std::vector<std::string> listed_words(std::string_view text);

}  // namespace ballast::admin

// Kind<T>: everything the configuration knows about one kind of value: how it is read, described, shown and compared.
//
// A Kind is immutable and shared by pointer (`Value<T>`); kinds are put together from smaller ones (kinds.h, section.h)
// where the schema is declared. Decoding reports what is wrong to the Decoder and leaves `out` as it was.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/diagnostics.h"
#include "config/diff.h"
#include "config/files.h"
#include "config/shape.h"
#include "config/tree.h"

namespace ballast::config {

// Whether a regular expression is one; given by the program, since RE2 is linked above this room.
using RegexCheck = std::function<Result<>(const std::string& pattern)>;

// The same for the text of a set of keys, which traffic/auth reads with OpenSSL.
using KeySetCheck = std::function<Result<>(const std::string& text)>;

// What decoding has at hand: where errors go, where secrets come from, and the name of the property being read.
struct Decoder {
  Diagnostics& diagnostics;
  FileReader& files;
  const RegexCheck& regex_check;
  const KeySetCheck& key_set_check;
  std::string_view property;

  // "interval: TEXT", with a second line "allowed: ..." where `allowed` says something.
  void error(const Mark& mark, std::string_view text, std::string_view allowed = {}) const;
  void warning(const Mark& mark, std::string_view text) const;
  // "a list cannot stand here", or "has no value".
  void wrong_kind(const Node& node, const Shape& shape) const;
};

// Where a comparison has got to, and the list it adds to.
class DiffWalk {
 public:
  explicit DiffWalk(std::vector<Difference>& found) : found_(&found) {}

  struct Step {
    std::string_view name;
    bool restart = false;
    std::string_view change_note = {};  // said behind each difference of this property itself
  };
  DiffWalk into(const Step& step) const;
  void add(std::string_view text) const;
  struct Change {
    std::string before;
    std::string after;
  };
  void changed(const Change& change) const;

 private:
  std::vector<Difference>* found_;
  std::string path_;
  std::string note_;
  bool restart_ = false;
};

template <typename T>
class Kind {
 public:
  virtual ~Kind() = default;
  virtual Shape shape() const = 0;
  virtual void decode(const Node& node, T& out, Decoder& decoder) const = 0;
  // As a user would write it, on one line.
  virtual std::string show(const T& value) const = 0;
  virtual void diff(const T& before, const T& after, const DiffWalk& walk) const = 0;
};

template <typename T>
using Value = std::shared_ptr<const Kind<T>>;

}  // namespace ballast::config

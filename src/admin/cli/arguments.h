// Arguments: a command line taken apart by what a command declares: options with and without values, and words.
//
// "--name VALUE", "--name=VALUE", flags, and "--" after which all is words. Every command understands --help, --json
// and
// --socket. An Error's text says what is wrong and names the nearest option.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ballast::admin {

struct Option {
  std::string_view name;   // "--socket"
  std::string_view value;  // "PATH": what it takes; empty: a flag; "[N]": a flag that may have one, behind a '='
  std::string_view help;
};

class Arguments {
 public:
  static Result<Arguments> parse(std::span<const std::string> arguments, std::span<const Option> options);

  bool has(std::string_view option) const { return values_.contains(option); }
  // Of an option that takes one; the last where it was given twice.
  std::optional<std::string> value(std::string_view option) const;
  const std::vector<std::string>& words() const { return words_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> words_;
};

}  // namespace ballast::admin

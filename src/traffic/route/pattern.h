// TextPattern: a config::Pattern compiled to the cheapest form that means the same.
//
// A pattern is matched against the whole text: `*` and `?` or, written { regex: ... }, an RE2 expression (which
// therefore needs no ^ and $, and `.*` where it may lie in the middle). RE2 runs in time linear in the input; its
// memory is bounded. Immutable and cheap to copy; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"
#include "traffic/route/glob.h"

namespace ballast::traffic {

// What the configuration loader calls for each { regex: ... }; the Error says what RE2 objects to.
Result<> check_regex(std::string_view expression);

class TextPattern {
 public:
  static Result<TextPattern> compile(const config::Pattern& pattern, LetterCase letter_case);
  bool matches(Bytes text) const;

  struct Anything {};
  struct Whole {
    std::string text;
  };
  struct Prefix {  // "text*"
    std::string text;
  };
  struct Suffix {  // "*text"
    std::string text;
  };
  struct Wildcards {
    std::shared_ptr<const Glob> glob;
  };
  struct Expression;  // RE2, kept out of this header
  using Form = std::variant<Anything, Whole, Prefix, Suffix, Wildcards, std::shared_ptr<const Expression>>;
  // With LetterCase::Folded the texts are in lower case. For those who build an index.
  const Form& form() const { return form_; }

 private:
  TextPattern(Form form, LetterCase letter_case) : form_(std::move(form)), letter_case_(letter_case) {}
  Form form_;
  LetterCase letter_case_;
};

}  // namespace ballast::traffic

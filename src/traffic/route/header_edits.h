// HeaderEdits: what a rule puts into a head and takes out of it. Part of the Plan: immutable, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"
#include "traffic/route/placeholder_text.h"
#include "wire/http/outgoing.h"

namespace ballast::traffic {

class HeaderEdits {
 public:
  // Of all values with placeholders together, as much as the heads of clients may have by default.
  static constexpr std::size_t texts_bytes_max = 64 * kib;

  static Result<HeaderEdits> compile(const std::vector<config::NamedText>& set,
                                     const std::vector<std::string>& removed);

  bool empty() const { return set_.empty() && removed_.empty(); }
  // The lines that are put in, filled in from a request; views of this and of `texts`. False: they are longer than is
  // allowed, and none is there.
  bool fill_in(const RequestParts& request, std::vector<http::FieldLine>& made, std::string& texts) const;
  // Takes out of `lines` what is removed, and puts `made` in: each in the place of the first of its name, of which no
  // other stays.
  void apply(const std::vector<http::FieldLine>& made, std::vector<http::FieldLine>& lines) const;

 private:
  struct Each {
    std::string name;
    PlaceholderText text;
  };
  std::vector<Each> set_;
  std::vector<std::string> removed_;
};

}  // namespace ballast::traffic

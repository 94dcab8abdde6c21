#include "config/kind.h"

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {

void Decoder::error(const Mark& mark, std::string_view text, std::string_view allowed) const {
  if (diagnostics.full()) return diagnostics.error(mark, {});  // only counted: spare the texts
  std::vector<std::string> notes;
  if (!allowed.empty()) notes.push_back(fmt::format("allowed: {}", allowed));
  diagnostics.error(mark, property.empty() ? std::string(text) : fmt::format("{}: {}", property, text),
                    std::move(notes));
}

void Decoder::warning(const Mark& mark, std::string_view text) const {
  diagnostics.warning(mark, property.empty() ? std::string(text) : fmt::format("{}: {}", property, text));
}

void Decoder::wrong_kind(const Node& node, const Shape& shape) const {
  if (node.is_null()) return error(node.mark, "has no value", shape.words);
  error(node.mark, fmt::format("{} cannot stand here", node.kind_words()), shape.words);
}

DiffWalk DiffWalk::into(const Step& step) const {
  DiffWalk deeper = *this;
  if (!step.name.empty()) {
    if (!deeper.path_.empty()) deeper.path_ += '.';
    deeper.path_ += step.name;
  }
  deeper.restart_ = restart_ || step.restart;
  deeper.note_ = step.change_note;
  return deeper;
}

void DiffWalk::add(std::string_view text) const {
  constexpr std::size_t text_bytes_max = 300;
  std::string line = crop(text, text_bytes_max);
  if (!note_.empty()) line += fmt::format(" ({})", note_);
  found_->push_back({path_, std::move(line), restart_});
}

void DiffWalk::changed(const Change& change) const {
  add(fmt::format("{} -> {}", crop(change.before, 140), crop(change.after, 140)));
}

}  // namespace ballast::config

// Fuzzes config::load_text: any bytes at all must give Settings that keep their promises, or diagnostics of bounded
// size.
//
// Includes and files find nothing; variables of one letter are set. The mutator also writes whole files as the schema
// says they may be, since nobody finds "unhealthy_threshold" by flipping bits. With BALLAST_CANARY a true statement is
// denied, and the fuzzer has to notice.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/diff.h"
#include "config/load.h"
#include "config/schema.h"
#include "config/units.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace ballast;

class NoFiles final : public config::FileReader {
 public:
  Result<std::string> read(const std::string&, std::size_t) override { return fail(Code::NotFound); }
  Result<std::string> folder(const std::string&) override { return fail(Code::NotFound); }
  Result<std::vector<std::string>> glob(const std::string&) override { return std::vector<std::string>{}; }
  std::optional<std::string> environment(const std::string& name) override {
    return name.size() == 1 ? std::optional<std::string>("10.0.0.1:80") : std::nullopt;
  }
};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_forward(const config::Settings& settings, const config::Action& action) {
  const auto* forward = std::get_if<config::Forward>(&action);
  if (!forward) return;
  require(!forward->groups.empty(), "a forward names a group");
  for (const config::WeightedGroup& group : forward->groups) {
    require(settings.group(group.group) != nullptr, "a forward names a group that is there");
  }
}

void check_loaded(const config::Loaded& loaded) {
  const config::Settings& settings = loaded.settings;
  require(!loaded.warnings.has_errors(), "what was loaded has no errors");
  require(config::diff(settings, settings).empty(), "nothing differs from itself");
  for (const config::Listener& listener : settings.listeners) {
    require(config::parse_address(listener.address.to_string()) == listener.address,
            "an address is read as it is shown");
    require(listener.default_action.has_value(), "a listener has a default");
    check_forward(settings, *listener.default_action);
    for (const config::Rule& rule : listener.rules) check_forward(settings, rule.action);
  }
  for (const config::TargetGroup& group : settings.target_groups) {
#ifdef BALLAST_CANARY
    require(group.algorithm == config::Algorithm::RoundRobin, "canary: every group takes turns");
#endif
    require(group.health_check.healthy_threshold >= 1 && group.health_check.healthy_threshold <= 10,
            "thresholds are bounded");
    for (const config::Target& target : group.targets) {
      require(config::parse_address(target.address.to_string()) == target.address, "an address is read as it is shown");
      require(target.weight >= 0 && target.weight <= 999, "weights are bounded");
    }
  }
}

// Writes files as the schema says they may be, most of them good ones.
class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::string file(const config::Shape& root) { return section(*root.section) + "\n"; }

 private:
  bool one_in(unsigned n) { return random_() % n == 0; }

  static bool holds_section(const config::Shape& shape) {
    return shape.section || std::ranges::any_of(shape.parts, holds_section);
  }

  std::string property(const config::PropertyShape& property) {
    if (property.name == "forward" || one_in(4) || holds_section(property.shape)) return value(property.shape);
    return std::string(property.example);
  }

  std::string section(const config::SectionShape& section) {
    std::string text;
    const std::size_t actions = section.exactly_one.size();
    const std::string action = actions == 0 ? "" : section.exactly_one[random_() % (one_in(2) ? actions : 1)];
    for (const config::PropertyShape& p : section.properties) {
      const bool is_action = std::ranges::find(section.exactly_one, p.name) != section.exactly_one.end();
      const bool wanted = is_action ? p.name == action : p.required || p.name == "target_groups" || one_in(6);
      if (wanted) text += (text.empty() ? "" : ", ") + std::string(p.name) + ": " + property(p);
    }
    return "{ " + text + " }";
  }

  std::string value(const config::Shape& shape) {
    using Form = config::Shape::Form;
    if (!shape.choices.empty()) return shape.choices[random_() % shape.choices.size()].name;
    switch (shape.form) {
      case Form::Text:
        return one_in(8) ? "${A}" : "a";
      case Form::Number:
        return std::to_string(*shape.minimum + static_cast<std::int64_t>(random_() % 3));
      case Form::Boolean:
        return one_in(2) ? "true" : "false";
      case Form::List:
        return "[" + value(shape.parts[0]) + "]";
      case Form::Map:
        return "{ a: " + value(shape.parts[0]) + (one_in(4) ? ", b: " + value(shape.parts[0]) : "") + " }";
      case Form::Section:
        return section(*shape.section);
      case Form::AnyOf:
        return value(shape.parts[random_() % shape.parts.size()]);
    }
    return "";
  }

  std::minstd_rand random_;
};

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  static const config::Shape root = config::settings_kind()->shape();
  if (seed % 4 != 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text = Author(seed).file(root);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  NoFiles files;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto loaded = config::load_text("fuzz.yaml", text, {.files = files});
  if (loaded) {
    check_loaded(*loaded);
    return 0;
  }
  const std::string told = loaded.error().render();
  require(told.find("error: ") != std::string::npos, "a refusal says why");
  require(told.size() < 256 * kib, "a refusal is of bounded size");
  for (const char c : told)
    require(c == '\n' || static_cast<unsigned char>(c) >= 0x20, "a refusal has no control characters");
  return 0;
}

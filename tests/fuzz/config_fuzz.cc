// Fuzzes config::load_text: any bytes at all must give Settings that keep their promises, or diagnostics of bounded
// size.
//
// Includes and files find nothing; variables of one letter are set. The mutator knows the words of the schema, since
// nobody finds "unhealthy_threshold" by flipping bits. With BALLAST_CANARY a true statement is denied, and the fuzzer
// has to notice.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <set>
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

void collect_words(const config::Shape& shape, std::set<std::string>& words) {
  for (const config::Choice& choice : shape.choices) words.insert(choice.name);
  for (const config::Shape& part : shape.parts) collect_words(part, words);
  if (!shape.section) return;
  for (const config::PropertyShape& property : shape.section->properties) {
    words.insert(std::string(property.name) + ": ");
    words.insert(std::string(property.name) + ": " + std::string(property.example));
    words.insert("{ " + std::string(property.name) + ": " + std::string(property.example) + " }");
    collect_words(property.shape, words);
  }
}

std::vector<std::string> schema_words() {
  std::set<std::string> words{"\n", "\n  ", "\n    ", "\n  - ", ": ",  "{ ", " }", "[",
                              "]",  "&a ",  "*a",     "${A}",   "a: ", "'",  "\""};
  collect_words(config::settings_kind()->shape(), words);
  return {words.begin(), words.end()};
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  static const std::vector<std::string> words = schema_words();
  // A file that loads, to begin with; its last line waits for a property of a target group.
  constexpr std::string_view beginning =
      "listeners:\n  a:\n    address: ':1'\n    default: { forward: a }\ntarget_groups:\n  a:\n    ";
  if (size <= 1 && beginning.size() <= max_size) {
    std::memcpy(data, beginning.data(), beginning.size());
    return beginning.size();
  }
  std::minstd_rand random(seed);
  if (random() % 3 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string word = words[random() % words.size()];
  std::size_t at = random() % (size + 1);
  if (random() % 2 == 0) {  // as a line of its own, as deep as the one that it is put before
    while (at > 0 && data[at - 1] != '\n') --at;
    const std::size_t line = at;
    while (at < size && data[at] == ' ') ++at;
    word += '\n' + std::string(at - line, ' ');
  }
  if (size + word.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memmove(data + at + word.size(), data + at, size - at);
  std::memcpy(data + at, word.data(), word.size());
  return size + word.size();
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

// Fuzzes file_name_of: whatever the path, the name stays below the root as the kernel would read it, and a good name
// written as a path again is the same name. The first byte of the input chooses the rules.
//
// The canary decodes twice.
#include <cstdint>
#include <string>

#include "require.h"
#include "traffic/files/file_name.h"

namespace {

using namespace ballast;
using namespace ballast::traffic;
using ballast::fuzz::require;

FileName named(Bytes path, const NameRules& rules) {
  FileName found = file_name_of(path, rules);
#ifdef BALLAST_CANARY
  if (found.verdict == FileName::Verdict::Good && found.name.find("%2e") != std::string::npos) {
    for (std::size_t at = 0; (at = found.name.find("%2e")) != std::string::npos;) found.name.replace(at, 3, ".");
  }
#endif
  return found;
}

void check_good(const FileName& found, const NameRules& rules) {
  const std::string& name = found.name;
  require(name.find('\0') == std::string::npos, "no NUL");
  require(name.find('\\') == std::string::npos, "no backslash");
  require(!name.starts_with('/') && !name.ends_with('/'), "relative, without a slash at its end");
  require(is_utf8(name), "UTF-8");
  require(name.size() <= 4000 + 256, "bounded");
  for (const char byte : name) require(static_cast<std::uint8_t>(byte) >= 0x20 && byte != 0x7f, "no control byte");
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    require(!part.empty() && part != "." && part != "..", "each part is a name");
    require(part.size() <= 255, "that a file can have");
    if (rules.hidden == HiddenFiles::Refused && part[0] == '.') {
      require(begin == 0 && part == ".well-known", "nothing hidden");
    }
    begin = end + 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const NameRules rules{.strip_prefix = (data[0] & 1) != 0 ? "/s" : "",
                        .hidden = (data[0] & 2) != 0 ? HiddenFiles::Served : HiddenFiles::Refused};
  const FileName found = named({reinterpret_cast<const char*>(data + 1), size - 1}, rules);
  if (found.verdict != FileName::Verdict::Good) return 0;
  check_good(found, rules);
  std::string path = std::string(rules.strip_prefix) + "/";
  append_path_of(path, found.name);
  if (found.is_folder && !found.name.empty()) path.push_back('/');
  require(path.find("//") == std::string::npos, "a Location never names another host");
  const FileName again = named(path, rules);
  require(again.verdict == FileName::Verdict::Good && again.name == found.name, "the same name again");
  return 0;
}

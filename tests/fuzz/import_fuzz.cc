// Fuzzes the readers of other balancers' configurations: whatever the file says, what is printed is what the loader
// takes, or nothing. The first byte of the input chooses the format.
//
// The canary believes that nobody listens on a Unix socket.
#include <cstdint>
#include <string>

#include "admin/import/haproxy_read.h"
#include "admin/import/nginx_read.h"
#include "config/memory_files.h"
#include "require.h"

namespace {

using namespace ballast;
using ballast::fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  config::MemoryFiles files;
  files.files["part.conf"] = "location /part { return 200; }";
  files.files["users"] = "ann:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
  files.files["/www/index.html"] = "Hello.";
  const admin::ImportSource source{.path = "x.conf", .text = text, .files = files};
  const admin::Imported made = data[0] % 2 == 0 ? admin::read_nginx(source) : admin::read_haproxy(source);
  for (const admin::Note& note : made.notes) {
    require(note.line != 0 || !note.text.starts_with("what came of it is not taken"), "what is made is taken");
    require(note.text.find('\n') == std::string::npos, "a note is one line");
  }
#ifdef BALLAST_CANARY
  require(made.yaml.find("address: \"unix:") == std::string::npos, "an address has a port");
#endif
  return 0;
}

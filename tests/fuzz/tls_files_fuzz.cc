// Fuzzes what reads files and names for TLS: PEM blocks, the file of ticket keys, names asked for by clients, and the
// checks of certificates on top of them. The first byte of the input chooses which.
//
// The canary counts a block's line one too low behind a block that is not closed.
#include <algorithm>
#include <cstdint>
#include <string>

#include "require.h"
#include "wire/tls/certificate.h"
#include "wire/tls/name_table.h"
#include "wire/tls/pem.h"
#include "wire/tls/ticket_keys.h"

namespace {

using namespace ballast;
using namespace ballast::tls;
using ballast::fuzz::require;

void check_pem(Bytes text) {
  const char* last_end = text.data();
  bool was_open = false;
  for (const PemBlock& block : pem_blocks(text)) {
    require(block.text.data() >= last_end, "blocks come in order and do not overlap");
    require(block.text.starts_with("-----BEGIN "), "a block begins with its line");
    int line = 1 + static_cast<int>(std::count(text.data(), block.text.data(), '\n'));
#ifdef BALLAST_CANARY
    if (was_open) --line;
#endif
    require(block.line == line, "the line is the block's");
    last_end = block.is_closed ? block.text.data() + block.text.size() : block.text.data() + 1;
    was_open = !block.is_closed;
    require(block.text.data() + block.text.size() <= text.data() + text.size(), "a block is within the text");
  }
  static_cast<void>(was_open);
}

void check_keys(Bytes text) {
  const Result<TicketKeys> keys = read_ticket_keys(text);
  if (!keys) return;
  const Result<TicketKeys> again = read_ticket_keys(write_ticket_keys(*keys));
  require(again.has_value() && *again == *keys, "what was read is written so");
}

void check_names(Bytes text) {
  static const NameTable table({{.names = {"a.example", "*.b.example"}, .key_kind = "EC"},
                                {.names = {"*.a.example", "a.example"}, .key_kind = "RSA"}});
  const auto found = table.find(text);
  require(!found.has_value() || *found < table.bundles().size(), "a bundle that is there");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      check_pem(text);
      break;
    case 1:
      check_keys(text);
      break;
    case 2:
      check_names(text);
      break;
    default: {
      const std::string both(text);
      if (!check_certificate({.files = {.cert = "c", .key = "k", .ocsp = ""}, .cert_pem = both, .key_pem = both}, {})) {
        break;
      }
      require(both.find("PRIVATE KEY") != std::string::npos, "a certificate without a key is none");
    }
  }
  return 0;
}

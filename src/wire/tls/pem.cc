#include "wire/tls/pem.h"

#include <algorithm>
#include <string>

namespace ballast::tls {

std::vector<PemBlock> pem_blocks(Bytes text) {
  constexpr std::size_t blocks_max = 10'000;
  constexpr Bytes begin = "-----BEGIN ";
  constexpr Bytes dashes = "-----";
  std::vector<PemBlock> blocks;
  std::size_t at = 0;
  int line = 1;
  while (blocks.size() < blocks_max) {
    const std::size_t start = text.find(begin, at);
    if (start == Bytes::npos) break;
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                        text.begin() + static_cast<std::ptrdiff_t>(start), '\n'));
    const std::size_t label = start + begin.size();
    const std::size_t label_end = text.find(dashes, label);
    PemBlock block{.text = text.substr(start), .line = line};
    if (label_end != Bytes::npos) {
      block.label = text.substr(label, label_end - label);
      const std::string end = "-----END " + std::string(block.label) + "-----";
      const std::size_t stop = text.find(end, label_end);
      const std::size_t next = text.find(begin, label_end);
      if (stop != Bytes::npos && (next == Bytes::npos || stop < next)) {
        block.text = text.substr(start, stop + end.size() - start);
        block.is_closed = true;
      }
    }
    const std::size_t past = block.is_closed ? start + block.text.size() : label;
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(start),
                                        text.begin() + static_cast<std::ptrdiff_t>(past), '\n'));
    at = past;
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace ballast::tls

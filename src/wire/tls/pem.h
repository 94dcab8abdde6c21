// Pem: the blocks of a PEM file with the line of each, so that an error can say which.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace ballast::tls {

struct PemBlock {
  Bytes label;  // "CERTIFICATE"
  Bytes text;   // from "-----BEGIN" to the end of "-----END ...-----"; without an end: the rest
  int line = 1;
  bool is_closed = false;
};

// Views into `text`. More than 10,000 blocks are not looked at.
std::vector<PemBlock> pem_blocks(Bytes text);

}  // namespace ballast::tls

// Mark: a place in a configuration file.
#pragma once

namespace ballast::config {

// Where a value stood, for errors found after decoding. `file` is an index into Settings::files.
struct Mark {
  int file = 0;
  int line = 0;                                                      // from 1; 0: a default, not in any file
  int column = 0;                                                    // from 1
  friend bool operator==(const Mark&, const Mark&) { return true; }  // moving a line changes nothing
};

}  // namespace ballast::config

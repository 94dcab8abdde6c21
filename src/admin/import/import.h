// Import: another balancer's configuration in, ours as YAML out, with a note for whatever could not be carried over.
//
// One reader a format, each in files of its own (workers_properties.h, ...); import.cc has the table of them and
// chooses by the file's name or contents. Pure but for the files that a configuration includes, which come through
// ImportSource::files. What is read is hostile: readers are bounded, and every text of the file that reaches the YAML
// goes through yaml_text(). `ballast import FILE` (cli/import.cc) prints what comes out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/files.h"

namespace ballast::admin {

// What a person has to know about one directive: that it was left out or changed, and what to do instead.
struct Note {
  std::string file;  // empty: the file that was asked for
  int line = 0;      // from 1; 0: of the whole file
  std::string text;  // "worker.node1.recovery_options: ...; what to do"
};

struct Imported {
  std::string yaml;  // accepted by `ballast check`; empty: nothing could be made, and the notes say why
  std::vector<Note> notes;
};

struct ImportSource {
  std::string path;           // what includes are relative to
  std::string text;           // of that file
  config::FileReader& files;  // for what it includes, and for the environment
};

struct ImportFormat {
  std::string_view name;   // what --from takes: "workers.properties"
  std::string_view words;  // "mod_jk's workers"
  // `file_name` without its folders.
  bool (*recognises)(std::string_view file_name, std::string_view text) = nullptr;
  Imported (*read)(const ImportSource& source) = nullptr;
};

// A configuration of 10,000 servers has half of it.
inline constexpr std::size_t import_bytes_max = 4 * mib;

std::span<const ImportFormat> import_formats();

// Reads the file and what it includes. An Error: it cannot be read, or is of no known format (`from` names one; empty:
// by its name or contents).
Result<Imported> import_file(const std::string& path, std::string_view from, config::FileReader& files);

// A YAML scalar that reads back as exactly this text, quoted where it must be, "${" written so that it is no variable.
// Text that is not UTF-8 is taken for Latin-1.
std::string yaml_text(std::string_view text);

// A name for a listener or a group made of any text: letters, digits, '.', '_' and '-'; never empty.
std::string yaml_name(std::string_view text);

}  // namespace ballast::admin

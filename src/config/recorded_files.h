// RecordedFiles: what a configuration was read from: the answers that the outside world gave while it was loaded. With
// them the same configuration can be loaded again, whatever has become of the files since: by the process that follows
// this one, and when a change is to be taken back.
//
// Files that are only named (certificates, static files, users) are not part of it: they are read anew.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/files.h"

namespace ballast::config {

struct Recording {
  std::string path;  // of the main file
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> folders;
  std::map<std::string, std::vector<std::string>> globs;
  std::map<std::string, std::string> environment;  // only what was asked for and is set
  friend bool operator==(const Recording&, const Recording&) = default;
};

// One JSON object. Environment variables may hold secrets, as the files themselves do: keep it as they are kept.
std::string write_recording(const Recording& recording);
// Malformed: not what write_recording() gives.
Result<Recording> read_recording(const std::string& text);

// Passes on what `inner` says, and notes it.
class RecordingFiles final : public FileReader {
 public:
  RecordingFiles(FileReader& inner, std::string path) : inner_(inner) { recording_.path = std::move(path); }
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<std::string> folder(const std::string& path) override;
  Result<std::vector<std::string>> glob(const std::string& pattern) override;
  std::optional<std::string> environment(const std::string& name) override;
  Recording& recording() { return recording_; }

 private:
  FileReader& inner_;
  Recording recording_;
};

// Says what was noted, and NotFound to everything else.
class RecordedFiles final : public FileReader {
 public:
  explicit RecordedFiles(const Recording& recording) : recording_(recording) {}
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<std::string> folder(const std::string& path) override;
  Result<std::vector<std::string>> glob(const std::string& pattern) override;
  std::optional<std::string> environment(const std::string& name) override;

 private:
  const Recording& recording_;
};

}  // namespace ballast::config

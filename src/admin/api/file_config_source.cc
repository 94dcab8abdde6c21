#include "admin/api/file_config_source.h"

#include "config/load.h"
#include "config/load_files.h"
#include "config/recorded_files.h"
#include "config/schema.h"

namespace ballast::admin {

namespace {

Reading reading_of(std::expected<config::Loaded, config::Diagnostics> loaded) {
  Reading reading;
  const config::Diagnostics& diagnostics = loaded ? loaded->warnings : loaded.error();
  if (!diagnostics.empty()) reading.text = diagnostics.render();
  for (const config::Diagnostic& d : diagnostics.sorted()) {
    reading.findings.push_back({.file = diagnostics.file_name(d.mark.file),
                                .line = d.mark.line,
                                .column = d.mark.column,
                                .text = d.text,
                                .is_error = d.severity == config::Severity::Error});
  }
  if (loaded) reading.settings = std::move(loaded->settings);
  return reading;
}

}  // namespace

Reading FileConfigSource::read(config::FileReader& files, const std::string& path) const {
  config::RecordingFiles recorder(files, path);
  Reading reading =
      reading_of(config::load(path, {.files = recorder, .regex_check = regex_check_, .key_set_check = key_set_check_}));
  if (reading.settings) {
    reading.settings->recording = std::make_shared<const config::Recording>(std::move(recorder.recording()));
  }
  return reading;
}

Reading FileConfigSource::read_file(std::string_view path) const {
  config::DiskFiles disk;
  return read(disk, std::string(path));
}

Reading FileConfigSource::read_recorded(const config::Recording& recording) const {
  config::RecordedFiles files(recording);
  return read(files, recording.path);
}

Reading FileConfigSource::read_text(std::string_view name, std::string_view text) const {
  config::DiskFiles disk;
  config::RecordingFiles recorder(disk, std::string(name));
  recorder.recording().files[std::string(name)] = std::string(text);
  Reading reading =
      reading_of(config::load_text(std::string(name), std::string(text),
                                   {.files = recorder, .regex_check = regex_check_, .key_set_check = key_set_check_}));
  if (reading.settings) {
    reading.settings->recording = std::make_shared<const config::Recording>(std::move(recorder.recording()));
  }
  return reading;
}

std::string FileConfigSource::schema() const {
  return config::json_schema();
}

}  // namespace ballast::admin

#include "config/load.h"

#include <utility>

#include "config/checks.h"
#include "config/include.h"
#include "config/schema.h"

namespace ballast::config {

std::expected<Loaded, Diagnostics> load(const std::string& path, const LoadOptions& options) {
  auto text = options.files.read(path, TreeLimits{}.bytes_max);
  if (!text) {
    Diagnostics diagnostics;
    diagnostics.error({diagnostics.add_file(path, ""), 0, 0}, text.error().text());
    return std::unexpected(std::move(diagnostics));
  }
  return load_text(path, std::move(*text), options);
}

std::expected<Loaded, Diagnostics> load_text(const std::string& name, std::string text, const LoadOptions& options) {
  Diagnostics diagnostics;
  const Node root = read_tree(name, std::move(text), options.files, diagnostics);
  Settings settings;
  Decoder decoder{.diagnostics = diagnostics,
                  .files = options.files,
                  .regex_check = options.regex_check,
                  .key_set_check = options.key_set_check,
                  .property = {}};
  settings_kind()->decode(root, settings, decoder);
  check_references(settings, root, diagnostics);
  if (settings.listeners.empty() && !diagnostics.has_errors()) {
    diagnostics.warning(root.mark, "there are no listeners: nothing will be served");
  }
  if (diagnostics.has_errors()) return std::unexpected(std::move(diagnostics));
  settings.files = diagnostics.file_names();
  return Loaded{std::move(settings), std::move(diagnostics)};
}

}  // namespace ballast::config

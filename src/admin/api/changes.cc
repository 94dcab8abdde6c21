#include "admin/api/changes.h"

#include <expected>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/documents.h"
#include "admin/api/errors.h"
#include "admin/api/history.h"

namespace ballast::admin {

namespace {

// The settings a request names, or the response that refuses it.
std::expected<config::Settings, ApiResponse> wanted(const ApiRequest& request, const Target& target,
                                                    const ConfigSource& configurations) {
  const auto refuse = [](std::string_view text) { return std::unexpected(error_response(400, "invalid", text)); };
  if (request.body.empty())
    return refuse("no body: send the configuration's YAML, or {\"path\": \"/abs/file.yaml\"} as JSON");

  Reading reading;
  if (request.content_type.starts_with("application/json")) {
    const nlohmann::json body = nlohmann::json::parse(request.body, nullptr, false);
    if (!body.is_object() || body.size() != 1 || !body.contains("path") || !body["path"].is_string()) {
      return refuse("a JSON body must be {\"path\": \"/abs/file.yaml\"}");
    }
    const std::string path = body["path"].get<std::string>();
    if (!path.starts_with('/')) {
      return refuse(fmt::format("path \"{}\": must be absolute, the server's working directory is not yours", path));
    }
    reading = configurations.read_file(path);
  } else {
    const std::string_view name = target.parameter("file");
    reading = configurations.read_text(name.empty() ? std::string_view("request body") : name, request.body);
  }
  if (!reading.settings) {
    return std::unexpected(ApiResponse{.status = 422, .body = findings_document(reading.text, reading.findings)});
  }
  return std::move(*reading.settings);
}

}  // namespace

ApiResponse post_plan(const ApiRequest& request, const Target& target, model::Service& service,
                      const ConfigSource& configurations) {
  const auto settings = wanted(request, target, configurations);
  if (!settings) return settings.error();
  return ApiResponse{.body = changes_document(service.plan(*settings))};
}

ApiResponse post_apply(const ApiRequest& request, const Target& target, cluster::Changes& changes,
                       const ConfigSource& configurations) {
  const auto change = change_request(request, target);
  if (!change) return change.error();
  auto settings = wanted(request, target, configurations);
  if (!settings) return settings.error();
  const Result<model::ApplyReport> report = changes.apply(std::move(*settings), *change);
  if (!report) return error_response(report.error());
  return ApiResponse{.body = apply_document(*report)};
}

ApiResponse post_reload(const ApiRequest& request, const Target& target, cluster::Changes& changes) {
  const auto change = change_request(request, target);
  if (!change) return change.error();
  const Result<model::ApplyReport> report = changes.reload(*change);
  if (!report) return error_response(report.error());
  return ApiResponse{.body = apply_document(*report)};
}

}  // namespace ballast::admin

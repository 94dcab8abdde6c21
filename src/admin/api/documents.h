// The JSON documents of the admin API, made of the model's plain values. Pure functions.
//
// Names are snake_case with the unit last (seconds, bytes); points in time are RFC 3339 in UTC; a time that never was
// is null. Text that is not UTF-8 (a target can put anything into a reason) has its bad bytes replaced, so a document
// is always valid.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "admin/api/config_source.h"
#include "config/settings.h"
#include "model/service.h"
#include "model/status.h"

namespace ballast::admin {

std::string status_document(const model::Status& status);
std::string events_document(std::span<const model::Event> events);
std::string changes_document(std::span<const model::Change> changes);
std::string apply_document(const model::ApplyReport& report);
std::string version_document(const model::Status& status);
std::string health_document(const model::Status& status);
std::string config_document(const model::Status& status, const config::Settings& settings);
// Of a configuration that cannot be: the diagnostics as one text and as a list.
std::string findings_document(std::string_view text, std::span<const Finding> findings);
// {"valid": true} with the warnings.
std::string valid_document(std::span<const Finding> warnings);
// `code` is a word for programs ("not_found"), `text` a sentence for people.
std::string error_document(std::string_view code, std::string_view text);

// "2026-11-21T10:00:00.000Z"
std::string rfc3339(model::WallTime time);

}  // namespace ballast::admin

#include "traffic/acme/store.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "io/file.h"
#include "wire/acme/account_key.h"
#include "wire/http/url.h"

namespace ballast::traffic::acme {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t file_bytes_max = 1 * mib;
constexpr mode_t secret = 0600;

std::string digest_of(const std::string& text) {
  constexpr std::size_t bytes = 8;  // 2^64 sets of names: no two meet
  std::string hex;
  for (const char c : ballast::acme::sha256(text).substr(0, bytes)) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return hex;
}

std::string stem_of(const std::string& state_directory, std::vector<std::string> names) {
  std::ranges::sort(names);
  std::string all;
  for (const std::string& name : names) all += name + ",";
  // A host's name, as the schema has seen: safe in a path. With what stands behind it, it must fit NAME_MAX.
  constexpr std::size_t name_bytes_max = 120;
  return fmt::format("{}/acme/certificates/{}-{}", state_directory, names.front().substr(0, name_bytes_max),
                     digest_of(all));
}

std::string account_file(const std::string& state_directory, const std::string& directory) {
  const auto url = http::Url::parse(directory);
  std::string host = url ? url->host : "unknown";
  std::ranges::replace(host, ':', '_');
  return fmt::format("{}/acme/accounts/{}-{}.json", state_directory, host, digest_of(directory));
}

Result<> write(const std::string& path, const std::string& text) {
  if (Result<> made = io::make_folder(path.substr(0, path.rfind('/'))); !made) return made;
  return io::write_file_atomically(path, text, secret);
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::optional<WallTime> time_of(const Json& json, const char* name) {
  if (!json.contains(name) || !json[name].is_number_integer()) return std::nullopt;
  constexpr std::int64_t year_9999 = 253'402'300'799;
  return WallTime(std::chrono::seconds(std::clamp<std::int64_t>(json[name].get<std::int64_t>(), 0, year_9999)));
}

}  // namespace

std::string certificate_file(const std::string& state_directory, std::vector<std::string> names) {
  return stem_of(state_directory, std::move(names)) + ".pem";
}

Result<std::optional<Account>> load_account(const std::string& state_directory, const std::string& directory) {
  const std::string path = account_file(state_directory, directory);
  const Result<std::string> text = io::read_file(path, file_bytes_max);
  if (!text) {
    if (text.error().code() == Code::NotFound) return std::optional<Account>();
    return fail(text.error());
  }
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || json_text(json, "key").empty()) {
    return fail(Code::Malformed, fmt::format("{} is not what ballast wrote; move it away to make a new account", path));
  }
  return Account{
      .key_pem = json_text(json, "key"), .url = json_text(json, "url"), .external_id = json_text(json, "external_id")};
}

Result<> save_account(const std::string& state_directory, const std::string& directory, const Account& account) {
  return write(account_file(state_directory, directory), dump({{"version", 1},
                                                               {"directory", directory},
                                                               {"url", account.url},
                                                               {"external_id", account.external_id},
                                                               {"key", account.key_pem}}));
}

Record load_record(const std::string& state_directory, const std::vector<std::string>& names) {
  const Result<std::string> text = io::read_file(stem_of(state_directory, names) + ".json", file_bytes_max);
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object()) return {};
  Record record{.directory = json_text(json, "directory"),
                .attempted = time_of(json, "attempted"),
                .retry_at = time_of(json, "retry_at"),
                .error = json_text(json, "error")};
  if (json.contains("failures") && json["failures"].is_number_integer()) {
    record.failures = static_cast<int>(std::clamp<std::int64_t>(json["failures"].get<std::int64_t>(), 0, 1'000'000));
  }
  return record;
}

Result<> save_record(const std::string& state_directory, const std::vector<std::string>& names, const Record& record) {
  Json json{{"version", 1}, {"names", names}, {"directory", record.directory}, {"failures", record.failures}};
  if (record.attempted.has_value()) json["attempted"] = seconds_of(*record.attempted);
  if (record.retry_at.has_value()) json["retry_at"] = seconds_of(*record.retry_at);
  if (!record.error.empty()) json["error"] = record.error;
  return write(stem_of(state_directory, names) + ".json", dump(json));
}

Result<> save_certificate(const std::string& state_directory, const std::vector<std::string>& names,
                          const std::string& pem) {
  return write(certificate_file(state_directory, names), pem);
}

}  // namespace ballast::traffic::acme

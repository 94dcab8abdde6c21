#include "admin/api/documents.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "wire/grpc/status.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json time(model::WallTime at) {
  return at == model::WallTime{} ? Json(nullptr) : Json(rfc3339(at));
}

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

// The duration under which `share` of the requests stayed, read off the buckets: linear within one, its lower bound for
// the last.
double quantile_seconds(const Histogram& histogram, double share) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : histogram.buckets) total += count;
  const double wanted = share * static_cast<double>(total);
  double below = 0;
  double lower = 0;
  for (std::size_t i = 0; i < Histogram::bounds_us.size(); ++i) {
    const double upper = Histogram::bounds_us[i] / 1e6;
    const double inside = static_cast<double>(histogram.buckets[i]);
    if (inside > 0 && below + inside >= wanted) return lower + (upper - lower) * (wanted - below) / inside;
    below += inside;
    lower = upper;
  }
  return lower;
}

Json duration(const Histogram& histogram) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : histogram.buckets) total += count;
  Json json{{"count", total}, {"sum_seconds", static_cast<double>(histogram.sum_us) / 1e6}};
  if (total != 0) {
    json["p50_seconds"] = quantile_seconds(histogram, 0.50);
    json["p95_seconds"] = quantile_seconds(histogram, 0.95);
    json["p99_seconds"] = quantile_seconds(histogram, 0.99);
  }
  return json;
}

Json traffic(const model::Traffic& traffic) {
  Json json{{"requests", traffic.requests},
            {"responses",
             {{"1xx", traffic.responses[0]},
              {"2xx", traffic.responses[1]},
              {"3xx", traffic.responses[2]},
              {"4xx", traffic.responses[3]},
              {"5xx", traffic.responses[4]}}},
            {"received_bytes", traffic.bytes_in},
            {"sent_bytes", traffic.bytes_out},
            {"received_datagrams", traffic.datagrams_in},
            {"sent_datagrams", traffic.datagrams_out},
            {"in_flight", traffic.in_flight},
            {"duration", duration(traffic.duration)}};
  for (std::size_t i = 0; i < traffic.calls.size(); ++i) {
    if (traffic.calls[i] != 0) json["grpc"][std::string(to_string(static_cast<grpc::Status>(i)))] = traffic.calls[i];
  }
  return json;
}

Json counts(const std::vector<model::Count>& counts) {
  Json json = Json::object();
  for (const model::Count& count : counts) json[count.reason] = count.count;
  return json;
}

Json listener(const model::ListenerStatus& l) {
  return Json{{"name", l.name},
              {"address", l.address},
              {"protocol", l.protocol},
              {"connections", l.connections},
              {"connections_total", l.connections_total},
              {"connections_refused", l.connections_refused},
              {"traffic", traffic(l.traffic)},
              {"defects", counts(l.defects)},
              {"defects_passed", counts(l.defects_passed)},
              {"http2", {{"connections", l.http2_connections}, {"defects", counts(l.http2_defects)}}},
              {"errors", counts(l.errors)},
              {"handshakes", counts(l.handshakes)},
              {"udp_drops", counts(l.udp_drops)},
              {"faults", counts(l.faults)},
              {"mirrors", counts(l.mirrors)},
              {"maintenance", l.maintenance}};
}

Json certificate(const model::CertificateStatus& c) {
  return Json{{"listener", c.listener}, {"file", c.file}, {"subject", c.subject},
              {"names", c.names},       {"key", c.key},   {"not_after", time(c.not_after)},
              {"problem", c.problem}};
}

Json rate_limit(const model::RateLimitStatus& r) {
  return Json{{"listener", r.listener}, {"rule", r.rule},         {"name", r.name},          {"admitted", r.admitted},
              {"limited", r.limited},   {"reported", r.reported}, {"displaced", r.displaced}};
}

Json acme(const model::AcmeStatus& a) {
  return Json{{"names", a.names},
              {"file", a.file},
              {"state", a.state},
              {"not_after", time(a.not_after)},
              {"problem", a.problem},
              {"failures", a.failures},
              {"attempted", time(a.attempted)},
              {"next", time(a.next)},
              {"obtained_total", a.obtained_total},
              {"failed_total", a.failed_total}};
}

Json target(const model::TargetStatus& t) {
  Json json{{"address", t.address},
            {"resolved", t.resolved},
            {"state", to_string(t.state)},
            {"reason", to_string(t.reason)},
            {"words", t.words},
            {"since", time(t.since)},
            {"weight", t.weight},
            {"weight_overridden", t.weight_overridden},
            {"effective_weight", t.effective_weight},
            {"checked", time(t.checked)},
            {"check_seconds", seconds(t.check_took)},
            {"checks_passed", t.checks_passed},
            {"checks_failed", t.checks_failed},
            {"connects", t.connects},
            {"connect_failures", t.connect_failures},
            {"reuses", t.reuses},
            {"pool_idle", t.pool_idle},
            {"failures_in_row", t.failures_in_row},
            {"ejections", {{"errors", t.ejections_errors}, {"success_rate", t.ejections_success_rate}}},
            {"passive_weight", t.passive_weight},
            {"passive_words", t.passive_words},
            {"traffic", traffic(t.traffic)}};
  if (t.ejected_until.has_value()) json["ejected_until"] = time(*t.ejected_until);
  return json;
}

Json group(const model::GroupStatus& g) {
  Json targets = Json::array();
  for (const model::TargetStatus& t : g.targets) targets.push_back(target(t));
  return Json{{"name", g.name},
              {"protocol", g.protocol},
              {"algorithm", g.algorithm},
              {"healthy", g.healthy},
              {"ejected", g.ejected},
              {"failing_open", g.failing_open},
              {"retries", g.retries},
              {"retries_refused", g.retries_refused},
              {"stale_replays", g.stale_replays},
              {"sticky_requests", g.sticky_requests},
              {"sticky_moved", g.sticky_moved},
              {"waiting", g.waiting},
              {"queued", g.queued},
              {"queue_seconds", seconds(g.queue_wait)},
              {"errors", counts(g.errors)},
              {"defects", counts(g.defects)},
              {"defects_passed", counts(g.defects_passed)},
              {"traffic", traffic(g.traffic)},
              {"targets", std::move(targets)}};
}

Json changes_array(std::span<const model::Change> changes) {
  Json json = Json::array();
  for (const model::Change& change : changes) {
    json.push_back({{"path", change.path}, {"text", change.text}, {"needs_restart", change.needs_restart}});
  }
  return json;
}

Json findings_array(std::span<const Finding> findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"severity", finding.is_error ? "error" : "warning"},
                    {"file", finding.file},
                    {"line", finding.line},
                    {"column", finding.column},
                    {"text", finding.text}});
  }
  return list;
}

}  // namespace

std::string rfc3339(model::WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{whole - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string status_document(const model::Status& status) {
  Json listeners = Json::array();
  for (const model::ListenerStatus& l : status.listeners) listeners.push_back(listener(l));
  Json groups = Json::array();
  for (const model::GroupStatus& g : status.groups) groups.push_back(group(g));
  Json certificates = Json::array();
  for (const model::CertificateStatus& c : status.certificates) certificates.push_back(certificate(c));
  Json obtained = Json::array();
  for (const model::AcmeStatus& a : status.acme) obtained.push_back(acme(a));
  Json rate_limits = Json::array();
  for (const model::RateLimitStatus& r : status.rate_limits) rate_limits.push_back(rate_limit(r));
  return dump(Json{{"version", status.version},
                   {"pid", status.pid},
                   {"started", time(status.started)},
                   {"stopping", status.stopping},
                   {"config_file", status.config_file},
                   {"configured", time(status.configured)},
                   {"generation", status.generation},
                   {"workers", status.workers},
                   {"memory_bytes", status.memory_bytes},
                   {"access_log_dropped_bytes", status.access_log_dropped_bytes},
                   {"descriptors", {{"open", status.descriptors_open}, {"max", status.descriptors_max}}},
                   {"listeners", std::move(listeners)},
                   {"groups", std::move(groups)},
                   {"certificates", std::move(certificates)},
                   {"acme", std::move(obtained)},
                   {"rate_limits", std::move(rate_limits)},
                   {"kernel_tls",
                    {{"state", status.kernel_tls.state},
                     {"reason", status.kernel_tls.reason},
                     {"connections", status.kernel_tls.connections},
                     {"refused", status.kernel_tls.refused}}}});
}

std::string events_document(std::span<const model::Event> events) {
  Json array = Json::array();
  for (const model::Event& event : events) {
    array.push_back({{"id", event.id},
                     {"at", time(event.at)},
                     {"kind", event.kind},
                     {"subject", event.subject},
                     {"text", event.text}});
  }
  return dump(Json{{"events", std::move(array)}});
}

std::string changes_document(std::span<const model::Change> changes) {
  return dump(Json{{"changes", changes_array(changes)}});
}

std::string apply_document(const model::ApplyReport& report) {
  return dump(Json{{"generation", report.generation}, {"changes", changes_array(report.changes)}});
}

std::string version_document(const model::Status& status) {
  return dump(Json{{"version", status.version}, {"pid", status.pid}, {"started", time(status.started)}});
}

std::string health_document(const model::Status& status) {
  return dump(Json{{"status", status.stopping ? "stopping" : "ok"}});
}

std::string config_document(const model::Status& status, const config::Settings& settings) {
  return dump(Json{{"file", status.config_file},
                   {"files", settings.files},
                   {"generation", status.generation},
                   {"configured", time(status.configured)},
                   {"state_directory", settings.state_directory},
                   {"admin", {{"socket", settings.admin.socket}}}});
}

std::string findings_document(std::string_view text, std::span<const Finding> findings) {
  return dump(
      Json{{"error", {{"code", "invalid_configuration"}, {"text", text}}}, {"diagnostics", findings_array(findings)}});
}

std::string valid_document(std::span<const Finding> warnings) {
  return dump(Json{{"valid", true}, {"diagnostics", findings_array(warnings)}});
}

std::string error_document(std::string_view code, std::string_view text) {
  return dump(Json{{"error", {{"code", code}, {"text", text}}}});
}

}  // namespace ballast::admin

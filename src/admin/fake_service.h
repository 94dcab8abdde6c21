// FakeService: the running balancer in the tests of admin/. It notes what it was asked and answers from plain members.
// Only *_test.cc files include it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/service.h"

namespace ballast::admin {

// 2026-11-21 10:00:00 UTC; the clock of the tests.
inline const model::WallTime test_now{std::chrono::seconds(1'795'255'200)};

// Two listeners (http "web", tcp "gateway"), two groups ("site" with a healthy and an unhealthy target, "devices" with
// one).
inline model::Status sample_status() {
  model::Status status;
  status.version = "0.1.0";
  status.pid = 4711;
  status.started = test_now - std::chrono::hours(26);
  status.configured = test_now - std::chrono::minutes(5);
  status.generation = 7;
  status.config_file = "/etc/ballast/ballast.yaml";
  status.workers = 2;
  status.descriptors_open = 40;
  status.descriptors_max = 65536;
  status.memory_bytes = 48 * 1024 * 1024;

  model::ListenerStatus web;
  web.name = "web";
  web.address = "0.0.0.0:8080";
  web.protocol = "http";
  web.connections = 9;
  web.connections_total = 400;
  web.traffic.requests = 1200;
  web.traffic.responses = {0, 1100, 50, 38, 12};
  web.traffic.bytes_in = 1'200'000;
  web.traffic.bytes_out = 98'765'432;
  web.traffic.in_flight = 3;
  web.traffic.duration.add(std::chrono::milliseconds(2));
  web.defects = {{"bare_lf", 3, "ambiguous"}};
  web.errors = {{"no_target", 2}};
  model::ListenerStatus gateway;
  gateway.name = "gateway";
  gateway.address = "[::]:9000";
  gateway.protocol = "tcp";
  gateway.connections = 60;
  gateway.traffic.requests = 60;
  gateway.traffic.in_flight = 60;
  status.listeners = {web, gateway};

  model::TargetStatus good;
  good.address = "10.0.0.11:8080";
  good.state = model::TargetState::Healthy;
  good.reason = model::TargetReason::Passed;
  good.words = "GET /healthz gave 200";
  good.since = test_now - std::chrono::hours(2);
  good.checked = test_now - std::chrono::seconds(3);
  good.check_took = std::chrono::microseconds(1500);
  good.traffic = web.traffic;
  good.checks_passed = 1440;
  model::TargetStatus bad = good;
  bad.address = "10.0.0.12:8080";
  bad.weight = 2;
  bad.effective_weight = 2;
  bad.weight_overridden = true;
  bad.state = model::TargetState::Unhealthy;
  bad.reason = model::TargetReason::ResponseCodeMismatch;
  bad.words = "GET /healthz gave 500, wanted 200";
  bad.since = test_now - std::chrono::seconds(90);
  bad.traffic = {};
  bad.checks_failed = 5;
  bad.ejections_errors = 3;
  bad.passive_weight = 0.25;
  model::GroupStatus site;
  site.name = "site";
  site.protocol = "http";
  site.algorithm = "round_robin";
  site.healthy = 1;
  site.traffic = web.traffic;
  site.retries = 4;
  site.errors = {{"connect_failed", 4}};
  site.targets = {good, bad};
  model::GroupStatus devices;
  devices.name = "devices";
  devices.protocol = "tcp";
  devices.algorithm = "least_requests";
  devices.healthy = 1;
  model::TargetStatus device = good;
  device.address = "unix:/run/device/one.sock";
  device.words.clear();
  device.reason = model::TargetReason::ChecksDisabled;
  device.traffic = gateway.traffic;
  devices.targets = {device};
  status.groups = {site, devices};
  status.rate_limits = {
      {.listener = "web", .rule = "login", .name = "guesses", .admitted = 30, .limited = 4, .displaced = 1}};
  status.uncounted_connections = {{"web", 6}};
  status.kernel_tls = {.state = "unavailable", .reason = "no module", .connections = 3, .refused = 1};
  return status;
}

class FakeService : public model::Service {
 public:
  model::Status status() override { return now; }

  std::vector<model::Event> events(std::uint64_t after) override {
    std::vector<model::Event> out;
    for (const model::Event& event : happened) {
      if (event.id > after) out.push_back(event);
    }
    return out;
  }

  Result<model::ExplainAnswer> explain(const model::ExplainQuery& query) override {
    explained_for = query;
    if (refusal) return fail(*refusal);
    return kept;
  }

  std::vector<model::Change> plan(const config::Settings& next) override {
    planned = next;
    return changes;
  }

  Result<model::ApplyReport> apply(config::Settings next) override {
    if (refusal) return fail(*refusal);
    applied = std::move(next);
    return model::ApplyReport{++now.generation, changes};
  }

  Result<model::ApplyReport> reload() override {
    asked.emplace_back("reload");
    if (refusal) return fail(*refusal);
    return model::ApplyReport{++now.generation, changes};
  }

  const config::Settings& settings() const override { return running; }
  Result<> upgrade() override {
    asked.emplace_back("upgrade");
    if (refusal) return fail(*refusal);
    return {};
  }

  Result<> drain(std::string_view group, std::string_view target) override { return ask("drain", group, target); }
  Result<> enable(std::string_view group, std::string_view target) override { return ask("enable", group, target); }
  Result<> set_weight(std::string_view group, std::string_view target, int weight) override {
    return ask("weight=" + std::to_string(weight), group, target);
  }
  Result<> set_maintenance(std::string_view listener, Maintenance maintenance) override {
    asked.push_back((maintenance == Maintenance::On ? "maintenance=on " : "maintenance=off ") + std::string(listener));
    for (const model::ListenerStatus& l : now.listeners) {
      if (l.name == listener) return {};
    }
    return fail(Code::NotFound, "there is no listener \"" + std::string(listener) + "\"");
  }
  Result<> reset_weight(std::string_view group, std::string_view target) override {
    return ask("weight=file", group, target);
  }

  model::Status now = sample_status();
  std::vector<model::Event> happened;
  std::vector<model::Change> changes;
  model::ExplainAnswer kept;  // given to every query
  std::optional<model::ExplainQuery> explained_for;
  config::Settings running;
  std::optional<config::Settings> planned;
  std::optional<config::Settings> applied;
  std::vector<std::string> asked;  // "drain site 10.0.0.11:8080"
  std::optional<Error> refusal;    // what apply and reload fail with, where set

 private:
  Result<> ask(std::string what, std::string_view group, std::string_view address) {
    asked.push_back(what + " " + std::string(group) + " " + std::string(address));
    for (const model::GroupStatus& g : now.groups) {
      if (g.name != group) continue;
      for (const model::TargetStatus& t : g.targets) {
        if (t.address == address) return {};
      }
    }
    return fail(Code::NotFound, "group \"" + std::string(group) + "\" has no target \"" + std::string(address) + "\"");
  }
};

}  // namespace ballast::admin

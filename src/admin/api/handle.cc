#include "admin/api/handle.h"

#include <array>
#include <charconv>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/changes.h"
#include "admin/api/documents.h"
#include "admin/api/errors.h"
#include "admin/api/explain.h"
#include "admin/api/history.h"
#include "admin/metrics/prometheus.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

struct Call {
  const ApiRequest& request;
  const Target& target;
  model::Service& service;
  const ApiContext& context;
};

using Handler = ApiResponse (*)(const Call&);

enum class Reach : std::uint8_t { SocketOnly, Anywhere };

struct Route {
  std::string_view method;
  std::string_view pattern;  // '*' is any one segment
  Reach reach;
  Handler handler;
};

ApiResponse json(std::string body) {
  return ApiResponse{.body = std::move(body)};
}

ApiResponse get_status(const Call& call) {
  return json(status_document(call.service.status()));
}
ApiResponse get_version(const Call& call) {
  return json(version_document(call.service.status()));
}
ApiResponse get_schema(const Call& call) {
  return json(call.context.configurations.schema());
}

ApiResponse get_health(const Call& call) {
  const model::Status status = call.service.status();
  return ApiResponse{.status = status.stopping ? 503 : 200, .body = health_document(status)};
}

ApiResponse get_metrics(const Call& call) {
  return ApiResponse{.content_type = std::string(prometheus_content_type),
                     .body = prometheus_page(call.service.status())};
}

ApiResponse get_events(const Call& call) {
  const std::string_view text = call.target.parameter("after");
  std::uint64_t after = 0;
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return error_response(400, "invalid", fmt::format("after={}: not an event's id (a whole number)", text));
    }
  }
  return json(events_document(call.service.events(after)));
}

ApiResponse run_explain(const Call& call) {
  return get_explain(call.target, call.service);
}

ApiResponse get_config(const Call& call) {
  return json(config_document(call.service.status(), call.service.settings()));
}

ApiResponse answer(const Result<>& done) {
  if (!done) return error_response(done.error());
  return json("{\"done\": true}\n");
}

cluster::Changes::Named named(const Target& target) {
  return {.group = target.segments[2], .target = target.segments[3]};
}

ApiResponse post_drain(const Call& call) {
  return answer(call.context.changes.drain(named(call.target), actor_of(call.request)));
}
ApiResponse post_enable(const Call& call) {
  return answer(call.context.changes.enable(named(call.target), actor_of(call.request)));
}
ApiResponse delete_weight(const Call& call) {
  return answer(call.context.changes.weigh(named(call.target), std::nullopt, actor_of(call.request)));
}

ApiResponse put_weight(const Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  const auto refuse = [] {
    return error_response(400, "invalid", "the body must be {\"weight\": N} with a whole number from 0 to 999");
  };
  if (!body.is_object() || body.size() != 1 || !body.contains("weight")) return refuse();
  const Json& weight = body["weight"];
  if (!weight.is_number_unsigned() || weight.get<std::uint64_t>() > 999) return refuse();
  return answer(call.context.changes.weigh(named(call.target), weight.get<int>(), actor_of(call.request)));
}

ApiResponse set_maintenance(const Call& call, model::Service::Maintenance maintenance) {
  return answer(call.context.changes.maintain(call.target.segments[2], maintenance, actor_of(call.request)));
}
ApiResponse put_maintenance(const Call& call) {
  return set_maintenance(call, model::Service::Maintenance::On);
}
ApiResponse delete_maintenance(const Call& call) {
  return set_maintenance(call, model::Service::Maintenance::Off);
}

ApiResponse run_plan(const Call& call) {
  return post_plan(call.request, call.target, call.service, call.context.configurations);
}
ApiResponse run_apply(const Call& call) {
  return post_apply(call.request, call.target, call.context.changes, call.context.configurations);
}
ApiResponse run_reload(const Call& call) {
  return post_reload(call.request, call.target, call.context.changes);
}
ApiResponse run_history(const Call& call) {
  return get_history(call.target, call.context.changes);
}
ApiResponse run_history_entry(const Call& call) {
  return get_history_entry(call.target, call.context.changes);
}
ApiResponse run_rollback(const Call& call) {
  return post_rollback(call.request, call.target, call.context.changes);
}
ApiResponse run_confirm(const Call& call) {
  return post_confirm(call.request, call.context.changes);
}

ApiResponse run_upgrade(const Call& call) {
  return answer(call.service.upgrade());
}

constexpr std::array routes{
    Route{"GET", "metrics", Reach::Anywhere, get_metrics},
    Route{"GET", "v1/status", Reach::Anywhere, get_status},
    Route{"GET", "v1/events", Reach::Anywhere, get_events},
    Route{"GET", "v1/version", Reach::Anywhere, get_version},
    Route{"GET", "v1/health", Reach::Anywhere, get_health},
    Route{"GET", "v1/explain", Reach::SocketOnly, run_explain},
    Route{"GET", "v1/explain/*", Reach::SocketOnly, run_explain},
    Route{"GET", "v1/config", Reach::SocketOnly, get_config},
    Route{"GET", "v1/schema", Reach::SocketOnly, get_schema},
    Route{"POST", "v1/plan", Reach::SocketOnly, run_plan},
    Route{"POST", "v1/apply", Reach::SocketOnly, run_apply},
    Route{"POST", "v1/reload", Reach::SocketOnly, run_reload},
    Route{"GET", "v1/history", Reach::SocketOnly, run_history},
    Route{"GET", "v1/history/*", Reach::SocketOnly, run_history_entry},
    Route{"POST", "v1/rollback/*", Reach::SocketOnly, run_rollback},
    Route{"POST", "v1/confirm", Reach::SocketOnly, run_confirm},
    Route{"POST", "v1/upgrade", Reach::SocketOnly, run_upgrade},
    Route{"POST", "v1/targets/*/*/drain", Reach::SocketOnly, post_drain},
    Route{"POST", "v1/targets/*/*/enable", Reach::SocketOnly, post_enable},
    Route{"PUT", "v1/targets/*/*/weight", Reach::SocketOnly, put_weight},
    Route{"DELETE", "v1/targets/*/*/weight", Reach::SocketOnly, delete_weight},
    Route{"PUT", "v1/listeners/*/maintenance", Reach::SocketOnly, put_maintenance},
    Route{"DELETE", "v1/listeners/*/maintenance", Reach::SocketOnly, delete_maintenance},
};

bool fits(std::string_view pattern, std::span<const std::string> segments) {
  for (const std::string& segment : segments) {
    if (pattern.empty()) return false;
    const std::size_t slash = pattern.find('/');
    const std::string_view wanted = pattern.substr(0, slash);
    if (wanted == "*" ? segment.empty() : wanted != segment) return false;
    pattern = slash == std::string_view::npos ? std::string_view() : pattern.substr(slash + 1);
  }
  return pattern.empty();
}

}  // namespace

ApiResponse handle(const ApiRequest& request, model::Service& service, const ApiContext& context) {
  const Target target = take_apart(request.target);
  if (target.malformed) {
    return error_response(400, "malformed",
                          "the request's path is not well formed: it begins with / and a % has two hex digits");
  }
  if (request.body.size() > api_body_bytes_max) return error_response(413, "too_large", "the body is over 4 MiB");
  // The first method decides for HEAD as for GET; the server leaves the body away.
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);

  std::string allowed;
  Reach reach = Reach::SocketOnly;
  for (const Route& route : routes) {
    if (!fits(route.pattern, target.segments)) continue;
    if (route.reach == Reach::Anywhere) reach = Reach::Anywhere;
    if (route.method != method) {
      if (!allowed.empty()) allowed += ", ";
      allowed += route.method == "GET" ? std::string_view("GET, HEAD") : route.method;
      continue;
    }
    if (request.door == Door::Tcp && route.reach != Reach::Anywhere) break;
    return route.handler(Call{request, target, service, context});
  }
  // At the TCP door all but the few readable paths look the same, whether they exist or not.
  if (request.door == Door::Tcp && reach != Reach::Anywhere) {
    return error_response(
        403, "denied",
        fmt::format("admin.http only serves GET of /metrics, /v1/status, /v1/events, /v1/version and /v1/health; "
                    "everything else goes over the Unix socket {}",
                    context.socket_path));
  }
  if (!allowed.empty()) {
    ApiResponse response =
        error_response(405, "method_not_allowed", fmt::format("this path takes {}, not {}", allowed, request.method));
    response.allow = std::move(allowed);
    return response;
  }
  return error_response(404, "not_found", "no such path; docs/guide/api.md lists them");
}

}  // namespace ballast::admin

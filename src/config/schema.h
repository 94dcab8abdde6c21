// The schema: every property of a configuration, declared once.
//
// The declarations (schema_settings.cc, schema_listener.cc, schema_rule.cc, schema_auth.cc, schema_target_group.cc and
// others) are the documentation; decoding (load.h), the differences (diff.h), the JSON Schema that editors complete
// from and the reference page are all made from them. Nothing is kept: each call builds what it needs.
#pragma once

#include <string>

#include "config/kind.h"
#include "config/settings.h"

namespace ballast::config {

Value<Settings> settings_kind();
Value<Listener> listener_kind();
Value<CertificateFiles> certificate_files_kind();
Value<ListenerTls> listener_tls_kind();
Value<Acme> acme_kind();
Value<CertificateFiles> acme_certificate_kind();
Value<Explain> explain_kind();
Value<Rule> rule_kind();
Value<Action> action_kind();
Value<Auth> auth_kind();
Value<Compression> compression_kind();
Value<Cors> cors_kind();
Value<HttpsRedirect> https_redirect_kind();
Value<Hsts> hsts_kind();
Value<HealthCheck> health_check_kind();
Value<TargetGroup> target_group_kind();
Value<Ajp> ajp_kind();
Value<SessionRoute> session_route_kind();
Value<Queue> queue_kind();
Value<Priority> priority_kind();
Value<Sticky> sticky_kind();
// What it does not go together with.
void finish_queue(const TargetGroup& group, const Node& node, Decoder& decoder);
void finish_sticky(const TargetGroup& group, const Node& node, Decoder& decoder);
Value<Outliers> outliers_kind();
// What suits the group's protocol and its number of targets.
void finish_outliers(TargetGroup& group, const Node& node, Decoder& decoder);

// JSON Schema 2020-12 of a configuration file, indented; ends in a newline.
std::string json_schema();

// docs/guide/reference.md.
std::string reference_markdown();

}  // namespace ballast::config

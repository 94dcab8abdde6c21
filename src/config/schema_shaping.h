// The properties of rules about what becomes of a request on its way to a target, and of its response.
#pragma once

#include "config/section.h"
#include "config/settings.h"

namespace ballast::config {

Property<Rule> request_headers_of_rule();
Property<Rule> remove_request_headers_of_rule();
Property<Rule> response_headers_of_rule();
Property<Rule> remove_headers_of_rule();
Property<Rule> rewrite_of_rule();
Property<Rule> fault_of_rule();
Property<Rule> mirror_of_rule();
// What of them contradicts itself, or the rule's action.
void finish_shaping(Rule& rule, const Node& node, Decoder& decoder);
// What the listener's protocol does not allow of its rules.
void check_shaping(const Listener& listener, Decoder& decoder);

Value<StayBy> stay_by_kind();
Value<Maintenance> maintenance_kind();

// How many parts of an expression are captured; the loader has found that it is one.
int capture_count(std::string_view regex);

}  // namespace ballast::config

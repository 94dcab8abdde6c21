// The properties of listeners and rules about what stands at the door: `allow`, `deny`, `rate_limits`.
#pragma once

#include "config/section.h"
#include "config/settings.h"

namespace ballast::config {

Property<Listener> allow_of_listener();
Property<Listener> deny_of_listener();
Property<Listener> rate_limits_of_listener();
Property<Rule> allow_of_rule();
Property<Rule> deny_of_rule();
Property<Rule> rate_limits_of_rule();
// Names of limits, and what a listener's protocol does not allow; after the listener's rules.
void finish_door(Listener& listener, const Node& node, Decoder& decoder);
void finish_door(Rule& rule, const Node& node, Decoder& decoder);

}  // namespace ballast::config

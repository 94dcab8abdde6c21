// The head that goes to a target: the client's end-to-end fields, without those of its connection, and with who it came
// from.
#pragma once

#include <string>

#include "config/settings.h"
#include "traffic/l7/client.h"
#include "traffic/l7/exchange_state.h"
#include "traffic/plan.h"

namespace ballast::traffic {

class HeaderEdits;

// The address of the client: the peer's, or, when the peer is a trusted proxy, the last one in X-Forwarded-For that is
// not.
std::array<std::uint8_t, 16> client_address(const http::RequestHead& head, const io::Peer& peer,
                                            const config::Listener& listener);
bool is_trusted(const std::array<std::uint8_t, 16>& address, const config::Listener& listener);

// What a target that does not get the client's Host is asked for.
Bytes host_of(const TargetShare& target);

struct RequestOut {
  ExchangeState& state;
  Client& client;
  const PlanListener& listener;
  const config::TargetGroup& group;
  const TargetShare& target;
  Bytes group_cookie = {};             // ours, that keeps the client with one of several groups; empty: none
  const HeaderEdits* edits = nullptr;  // the rule's; what they put in stands in `state`
};

// The head's method, target and lines, which stand in `state`. state.request_id and state.traceparent must have been
// made.
http::OutgoingRequest request_head(const RequestOut& request);

// Fills state.request_id and state.traceparent, unless the request brought them and they are believed; see
// request_id_of().
void make_ids(ExchangeState& state, std::uint64_t random_a, std::uint64_t random_b);
// What the request is known by, in the log and at the target.
Bytes request_id_of(const ExchangeState& state, bool peer_is_trusted);

}  // namespace ballast::traffic

#include "traffic/l7/request_out.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "traffic/auth/guard.h"
#include "traffic/l7/cookie.h"
#include "traffic/l7/sticky.h"
#include "traffic/route/conditions.h"
#include "traffic/route/header_edits.h"
#include "wire/http/hop_by_hop.h"
#include "wire/http/list.h"

namespace ballast::traffic {
namespace {

void write_hex(char* out, std::uint64_t value) {
  for (int i = 15; i >= 0; --i) {
    out[i] = "0123456789abcdef"[value & 15U];
    value >>= 4U;
  }
}

// An address of a list such as X-Forwarded-For: "10.0.0.1", "10.0.0.1:5000", "[::1]:80", "::1".
std::optional<std::array<std::uint8_t, 16>> listed_address(Bytes text) {
  if (text.size() > 64) return std::nullopt;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == Bytes::npos) return std::nullopt;
    text = text.substr(1, close - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  const Result<io::SocketAddress> address = io::SocketAddress::numeric(text, 0);
  if (!address) return std::nullopt;
  return address->bytes();
}

// RFC 7239 4: an IPv6 address is quoted and bracketed.
std::string forwarded_element(const std::string& peer, Bytes host, Bytes protocol) {
  const bool v6 = peer.find(':') != std::string::npos;
  std::string element = v6 ? fmt::format("for=\"[{}]\"", peer) : fmt::format("for={}", peer);
  // The host has been validated: no quote or backslash can be in it.
  if (!host.empty()) fmt::format_to(std::back_inserter(element), ";host=\"{}\"", host);
  fmt::format_to(std::back_inserter(element), ";proto={}", protocol);
  return element;
}

// W3C Trace Context 3.2: version, trace-id, parent-id, flags in lower-case hex; all zeroes and version ff are not
// valid. One that is not is replaced, as its chapter on processing asks.
bool is_traceparent(Bytes value) {
  const auto is_hex = [](Bytes text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  };
  const auto is_zero = [](Bytes text) { return text.find_first_not_of('0') == Bytes::npos; };
  constexpr std::size_t length = 55;
  if (value.size() < length || (value.size() > length && (value.starts_with("00") || value[length] != '-')))
    return false;
  if (value[2] != '-' || value[35] != '-' || value[52] != '-') return false;
  const Bytes version = value.substr(0, 2);
  const Bytes trace = value.substr(3, 32);
  const Bytes parent = value.substr(36, 16);
  return is_hex(version) && version != "ff" && is_hex(trace) && !is_zero(trace) && is_hex(parent) && !is_zero(parent) &&
         is_hex(value.substr(53, 2));
}

// Targets are asked in origin form, whatever form the client used (RFC 9112 3.2.1).
Bytes origin_form(const http::RequestHead& head, std::string& storage) {
  const Bytes target = head.target();
  if (target.front() == '/' || target == "*") return target;
  storage = head.path();
  if (head.has_query()) {
    storage += '?';
    storage += head.query();
  }
  return storage;
}

// A field's own earlier values, from all its lines, joined; empty where there is none.
void join_values(const http::Fields& fields, http::HeaderId id, std::string& into) {
  into.clear();
  for (const http::Field& field : fields) {
    if (field.id != id || field.value_size == 0) continue;
    if (!into.empty()) into += ", ";
    into += fields.value(field);
  }
}

// For all of them at once: what has been put there stays where it is.
void make_room_for_cookies(const http::Fields& fields, std::string& cookies) {
  std::size_t size = 0;
  for (const http::Field& field : fields) {
    if (field.id == http::HeaderId::Cookie) size += fields.value(field).size();
  }
  cookies.clear();
  cookies.reserve(size);
}

}  // namespace

Bytes host_of(const TargetShare& target) {
  return target.address.is_unix() ? Bytes("localhost") : Bytes(target.name);
}

bool is_trusted(const std::array<std::uint8_t, 16>& address, const config::Listener& listener) {
  return std::any_of(listener.trusted_proxies.begin(), listener.trusted_proxies.end(),
                     [&](const config::Network& network) { return contains(network, address); });
}

std::array<std::uint8_t, 16> client_address(const http::RequestHead& head, const io::Peer& peer,
                                            const config::Listener& listener) {
  if (listener.trusted_proxies.empty() || !is_trusted(peer.bytes, listener)) return peer.bytes;
  // From the right: each trusted proxy vouches for the one before it.
  std::string joined;
  join_values(head.fields, http::HeaderId::XForwardedFor, joined);
  std::array<std::uint8_t, 16> client = peer.bytes;
  Bytes rest = joined;
  while (!rest.empty()) {
    const std::size_t comma = rest.rfind(',');
    Bytes element = comma == Bytes::npos ? rest : rest.substr(comma + 1);
    rest = comma == Bytes::npos ? Bytes() : rest.substr(0, comma);
    while (!element.empty() && element.front() == ' ') element.remove_prefix(1);
    while (!element.empty() && element.back() == ' ') element.remove_suffix(1);
    const auto address = listed_address(element);
    if (!address.has_value()) break;
    client = *address;
    if (!is_trusted(client, listener)) break;
  }
  return client;
}

void make_ids(ExchangeState& state, std::uint64_t random_a, std::uint64_t random_b) {
  write_hex(state.request_id.data(), random_a);
  write_hex(state.request_id.data() + 16, random_b);
  // W3C Trace Context: version, trace-id, parent-id, flags (not sampled: that is for who started the trace to say).
  char* out = state.traceparent.data();
  std::memcpy(out, "00-", 3);
  std::memcpy(out + 3, state.request_id.data(), 32);
  out[35] = '-';
  write_hex(out + 36, random_a ^ (random_b | 1U));
  std::memcpy(out + 52, "-00", 3);
}

Bytes request_id_of(const ExchangeState& state, bool peer_is_trusted) {
  constexpr std::size_t believed_max = 128;
  if (peer_is_trusted) {
    const Bytes given = state.request.fields.value_or_empty(http::HeaderId::XRequestId);
    if (!given.empty() && given.size() <= believed_max) return given;
  }
  return {state.request_id.data(), state.request_id.size()};
}

http::OutgoingRequest request_head(const RequestOut& request) {
  ExchangeState& state = request.state;
  const http::RequestHead& head = state.request;
  const config::Listener& listener = *request.listener.settings;
  const http::Fields& fields = head.fields;
  const http::HopByHop hop_by_hop(fields);
  const bool trusted = is_trusted(request.client.peer().bytes, listener);
  const bool appends = listener.x_forwarded == config::ForwardedHeaders::Append;
  const bool writes_x = listener.x_forwarded != config::ForwardedHeaders::Off;
  const std::string& peer = request.client.peer_text();
  const tls::Stream* secure = request.client.secure();
  const Bytes protocol = request.client.protocol();
  const auto& clients = listener.tls.client_certificates;
  const Bytes subject_header = clients.has_value() ? Bytes(clients->subject_header) : Bytes();
  auto& lines = state.lines;
  lines.clear();
  const auto& sticky = request.group.sticky;
  std::array<Bytes, 2> own_names;
  std::size_t own_count = 0;
  if (sticky.has_value() && sticky->sets_cookie()) own_names[own_count++] = sticky->name;
  if (!request.group_cookie.empty()) own_names[own_count++] = request.group_cookie;
  const std::span<const Bytes> own_cookies(own_names.data(), own_count);
  if (!own_cookies.empty()) make_room_for_cookies(fields, state.cookies);

  // A client of HTTP/1.0 may send no Host; the target needs one all the same.
  const bool passes_host = request.group.pass_host && !head.authority().empty();
  lines.push_back({"Host", passes_host ? head.authority() : host_of(request.target)});

  bool has_proto = false;
  bool has_port = false;
  bool has_host = false;
  bool has_traceparent = false;
  for (const http::Field& field : fields) {
    switch (field.id) {
      case http::HeaderId::Host:
      case http::HeaderId::ContentLength:
      case http::HeaderId::XRequestId:
        continue;
      case http::HeaderId::XForwardedFor:
        if (writes_x) continue;
        break;
      case http::HeaderId::XForwardedProto:
        if (writes_x && !trusted) continue;
        has_proto = true;
        break;
      case http::HeaderId::XForwardedPort:
        if (writes_x && !trusted) continue;
        has_port = true;
        break;
      case http::HeaderId::XForwardedHost:
        if (writes_x && !trusted) continue;
        has_host = true;
        break;
      case http::HeaderId::Forwarded:
        // Believed and continued, or taken out: a target must not believe what a stranger wrote.
        if (listener.forwarded || !trusted) continue;
        break;
      case http::HeaderId::Traceparent:
        if (has_traceparent || !is_traceparent(fields.value(field))) continue;
        has_traceparent = true;
        break;
      default:
        // Told by us alone.
        if (!subject_header.empty() && http::iequals(fields.name(field), subject_header)) continue;
        break;
    }
    if (hop_by_hop.contains(field)) continue;
    const Bytes name = fields.name(field);
    // A client does not say who it is: the balancer does.
    if (std::ranges::any_of(state.guarded_headers,
                            [name](Bytes guarded) { return auth::is_same_header(guarded, name); })) {
      continue;
    }
    const Bytes value = field.id == http::HeaderId::Cookie && !own_cookies.empty()
                            ? without_cookies(fields.value(field), own_cookies, state.cookies)
                            : fields.value(field);
    if (field.id != http::HeaderId::Cookie || !value.empty()) lines.push_back({name, value});
  }

  if (writes_x) {
    state.forwarded_port = fmt::format_int(request.client.port()).str();
    if (appends) join_values(fields, http::HeaderId::XForwardedFor, state.forwarded_for);
    if (!appends) state.forwarded_for.clear();
    if (!state.forwarded_for.empty()) state.forwarded_for += ", ";
    state.forwarded_for += peer;
    lines.push_back({"X-Forwarded-For", state.forwarded_for});
    if (!has_proto) lines.push_back({"X-Forwarded-Proto", protocol});
    if (!has_port) lines.push_back({"X-Forwarded-Port", state.forwarded_port});
    if (!has_host && !head.authority().empty()) lines.push_back({"X-Forwarded-Host", head.authority()});
  }
  if (listener.forwarded) {
    state.forwarded.clear();
    if (trusted) join_values(fields, http::HeaderId::Forwarded, state.forwarded);
    if (!state.forwarded.empty()) state.forwarded += ", ";
    state.forwarded += forwarded_element(peer, head.authority(), protocol);
    lines.push_back({"Forwarded", state.forwarded});
  }
  for (const auth::HeaderValue& granted : state.granted) lines.push_back({granted.name, granted.value});
  lines.push_back({"X-Request-Id", request_id_of(state, trusted)});
  if (!has_traceparent) lines.push_back({"traceparent", {state.traceparent.data(), state.traceparent.size()}});
  if (!subject_header.empty() && secure != nullptr) {
    state.client_subject = secure->peer_subject();
    if (!state.client_subject.empty()) lines.push_back({subject_header, state.client_subject});
  }
  if (const Bytes te = fields.value_or_empty(http::HeaderId::Te); http::iequals(te, "trailers")) {
    lines.push_back({"TE", "trailers"});
  }

  if (request.edits != nullptr) request.edits->apply(state.edits, lines);
  const Bytes target = state.rewritten.empty() ? origin_form(head, state.origin_target) : Bytes(state.rewritten);
  return {head.method(), target, lines};
}

}  // namespace ballast::traffic

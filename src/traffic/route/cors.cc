#include "traffic/route/cors.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "wire/http/list.h"

namespace ballast::traffic {
namespace {

constexpr Bytes origin_name = "Origin";
constexpr Bytes method_name = "Access-Control-Request-Method";
constexpr Bytes headers_name = "Access-Control-Request-Headers";
constexpr Bytes private_network_name = "Access-Control-Request-Private-Network";

// Of the only field of that name; empty: there is none, or several, which a browser never sends.
Bytes only_value(const http::Fields& fields, Bytes name) {
  const http::Field* only = nullptr;
  for (const http::Field& field : fields) {
    if (!http::iequals(fields.name(field), name)) continue;
    if (only != nullptr) return {};
    only = &field;
  }
  return only != nullptr ? fields.value(*only) : Bytes();
}

bool is_token(Bytes text) {
  return !text.empty() && std::ranges::all_of(text, http::is_token_octet);
}

bool is_token_list(Bytes text) {
  http::ListReader list(text);
  for (Bytes item; list.next(item);) {
    if (!is_token(item)) return false;
  }
  return true;
}

// Names below a wildcard, "a.b", and nothing that would be another part of the origin.
bool is_name(Bytes text) {
  return !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool is_own(Bytes name) {
  constexpr std::array<Bytes, 7> own{"Access-Control-Allow-Origin",         "Access-Control-Allow-Credentials",
                                     "Access-Control-Expose-Headers",       "Access-Control-Allow-Methods",
                                     "Access-Control-Allow-Headers",        "Access-Control-Max-Age",
                                     "Access-Control-Allow-Private-Network"};
  return std::ranges::any_of(own, [name](Bytes each) { return http::iequals(each, name); });
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool is_star(const std::vector<std::string>& texts) {
  return std::ranges::find(texts, "*") != texts.end();
}

}  // namespace

std::shared_ptr<const CorsPolicy> CorsPolicy::compile(const config::Cors& settings) {
  return settings.enabled ? std::shared_ptr<const CorsPolicy>(new CorsPolicy(settings)) : nullptr;
}

CorsPolicy::CorsPolicy(const config::Cors& settings)
    : any_origin_(is_star(settings.origins)),
      any_method_(is_star(settings.methods)),
      any_header_(is_star(settings.headers)),
      credentials_(settings.credentials),
      private_network_(settings.private_network),
      refuse_(settings.refuse),
      methods_(joined(settings.methods)),
      headers_(joined(settings.headers)),
      expose_(joined(settings.expose)) {
  for (const std::string& origin : settings.origins) {
    const std::size_t star = origin.find('*');
    if (star == std::string::npos) {
      origins_.insert(origin);
    } else {
      wildcards_.push_back({.before = origin.substr(0, star), .after = origin.substr(star + 1)});
    }
  }
  if (settings.max_age.has_value()) {
    max_age_ = fmt::format("{}", std::chrono::duration_cast<std::chrono::seconds>(*settings.max_age).count());
  }
}

bool CorsPolicy::is_preflight(const http::RequestHead& request) {
  return request.method() == "OPTIONS" && !only_value(request.fields, origin_name).empty() &&
         is_token(only_value(request.fields, method_name));
}

bool CorsPolicy::allows(Bytes origin) const {
  if (origin.empty()) return false;
  if (any_origin_ || origins_.contains(origin)) return true;
  return std::ranges::any_of(wildcards_, [origin](const Wildcard& each) {
    const std::size_t around = each.before.size() + each.after.size();
    return origin.size() > around && origin.starts_with(each.before) && origin.ends_with(each.after) &&
           is_name(origin.substr(each.before.size(), origin.size() - around));
  });
}

bool CorsPolicy::refuses(const http::RequestHead& request) const {
  if (!refuse_) return false;
  const http::Field* any = request.fields.find(origin_name);
  if (any == nullptr) return false;
  const Bytes origin = only_value(request.fields, origin_name);
  if (allows(origin)) return false;
  // A page's own host; whether by http or https is not known behind a balancer that ends TLS.
  for (const Bytes scheme : {Bytes("https://"), Bytes("http://")}) {
    if (origin.starts_with(scheme) && http::iequals(origin.substr(scheme.size()), request.authority())) return false;
  }
  return true;
}

void CorsPolicy::write(const http::RequestHead& request, std::vector<http::FieldLine>& lines) const {
  bool varies = any_origin_;  // the answer is the same to everybody
  std::erase_if(lines, [&](const http::FieldLine& line) {
    if (http::iequals(line.name, "Vary")) {
      varies = varies || http::list_has(line.value, origin_name) || http::list_has(line.value, "*");
    }
    return is_own(line.name);
  });
  // Also where there is none, or one that is not allowed: a cache must not give that response to another.
  if (!varies) lines.push_back({"Vary", origin_name});
  const Bytes origin = only_value(request.fields, origin_name);
  if (!allows(origin)) return;
  lines.push_back({"Access-Control-Allow-Origin", any_origin_ ? Bytes("*") : origin});
  if (credentials_) lines.push_back({"Access-Control-Allow-Credentials", "true"});
  if (!expose_.empty() && !is_preflight(request)) lines.push_back({"Access-Control-Expose-Headers", expose_});
}

void CorsPolicy::write_preflight(const http::RequestHead& request, std::vector<http::FieldLine>& lines) const {
  const http::Fields& fields = request.fields;
  if (any_method_ || any_header_)
    lines.push_back({"Vary", "Access-Control-Request-Method, Access-Control-Request-Headers"});
  if (!allows(only_value(fields, origin_name))) return;
  lines.push_back({"Access-Control-Allow-Methods", any_method_ ? only_value(fields, method_name) : Bytes(methods_)});
  // `*` as browsers know it leaves Authorization out, and means nothing with credentials: what was asked for is named.
  const Bytes asked = any_header_ ? only_value(fields, headers_name) : Bytes(headers_);
  if (!asked.empty() && is_token_list(asked)) lines.push_back({"Access-Control-Allow-Headers", asked});
  if (!max_age_.empty()) lines.push_back({"Access-Control-Max-Age", max_age_});
  if (private_network_ && only_value(fields, private_network_name) == "true") {
    lines.push_back({"Access-Control-Allow-Private-Network", "true"});
  }
}

}  // namespace ballast::traffic

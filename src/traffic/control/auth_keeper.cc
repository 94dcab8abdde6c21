#include "traffic/control/auth_keeper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "traffic/auth/crypto/bcrypt.h"
#include "wire/http/fetch.h"

namespace ballast::traffic {
namespace {

// A changed file is seen within this.
constexpr auto look_interval = std::chrono::seconds(1);
// However many tokens with unknown keys come, the issuer is not asked more often; anybody can make such tokens.
constexpr auto fetch_interval_min = std::chrono::seconds(5);
constexpr auto fetch_retry = std::chrono::seconds(10);
constexpr auto fetch_time_max = std::chrono::seconds(10);

// Everything that asks, in the order of the file.
template <typename Each>
void for_each_auth(const config::Settings& settings, Each each) {
  const auto visit = [&](const std::optional<config::Auth>& auth) {
    if (auth && auth->enabled) each(*auth);
  };
  for (const config::Listener& listener : settings.listeners) {
    visit(listener.auth);
    for (const config::Rule& rule : listener.rules) visit(rule.auth);
  }
}

enum class Content : std::uint8_t { Users, Keys, Authorities };

Content content_of(const AuthKeeper::File& file) {
  if (file.users != nullptr) return Content::Users;
  return file.keys != nullptr ? Content::Keys : Content::Authorities;
}

Result<AuthKeeper::File> read(const std::string& path, Content content) {
  // The stamp first: what is written between the two is seen at the next look.
  const auto stamp = io::stamp_of(path);
  if (!stamp) return fail(stamp.error());
  AuthKeeper::File file{.stamp = *stamp, .users = {}, .keys = {}, .tls = {}};
  if (content == Content::Authorities) {
    auto context = tls::load_client_context(path);
    if (!context) return fail(std::move(context.error()));
    file.tls = std::move(*context);
    return file;
  }
  auto text = io::read_file(path, content == Content::Users ? config::htpasswd_bytes_max : auth::key_set_bytes_max);
  if (!text) return fail(std::move(text.error()));
  if (content == Content::Users) {
    auto users = config::parse_htpasswd(*text);
    if (!users) return fail(std::move(users.error()).within(path));
    file.users = std::make_shared<const config::Htpasswd>(std::move(*users));
  } else {
    auto keys = auth::KeySet::parse(*text);
    if (!keys) return fail(std::move(keys.error()).within(path));
    file.keys = std::make_shared<const auth::KeySet>(std::move(*keys));
  }
  return file;
}

// The same URL may be believed by one and not by another.
std::string source_of(const config::KeySource& keys) {
  return keys.ca.empty() ? keys.url : fmt::format("{} by {}", keys.url, keys.ca);
}

}  // namespace

struct AuthKeeper::Source {
  std::string url;
  http::Url place;
  std::string ca;  // the file that its server is verified by; empty: whom the system trusts
  io::Duration refresh{};
  std::string text;  // what the keys were read from
  std::shared_ptr<const auth::KeySet> keys;
  std::shared_ptr<auth::KeyWish> wish;
  io::Instant fetched_at;
  bool asked = false;  // at least once
  bool wanted = false;
  bool failing = false;
  bool gone = false;
  bool asleep = false;
  io::Strand* strand = nullptr;

  void wake() {
    if (asleep) strand->interrupt();
  }
};

AuthKeeper::AuthKeeper(Context context) : context_(std::move(context)), scope_(context_.loop) {}

AuthKeeper::~AuthKeeper() = default;

Result<AuthKeeper::Files> AuthKeeper::prepare(const config::Settings& next) const {
  Files files;
  Result<> good;
  for_each_auth(next, [&](const config::Auth& auth) {
    if (!good) return;
    const auto* basic = std::get_if<config::BasicAuth>(&auth.how);
    const auto* jwt = std::get_if<config::JwtAuth>(&auth.how);
    if (jwt != nullptr) {
      if (auto policy = auth::TokenPolicy::compile(*jwt); !policy) good = fail(std::move(policy.error()));
      if (const std::string& url = jwt->keys.url; !url.empty() && good) {
        if (auto place = http::Url::parse(url); !place) good = fail(std::move(place.error()).within(url));
      }
    }
    if (!good) return;
    const auto add = [&](const std::string& path, Content content) {
      if (path.empty() || !good) return;
      const auto known = files.find(path);
      if (known != files.end()) {
        if (content_of(known->second) == content) return;
        good = fail(Code::Invalid, fmt::format("{} cannot be a file of two kinds", path));
        return;
      }
      auto file = read(path, content);
      if (!file) {
        good = fail(std::move(file.error()).within("auth"));
        return;
      }
      files.emplace(path, std::move(*file));
    };
    if (basic != nullptr) add(basic->file, Content::Users);
    if (jwt != nullptr) {
      add(jwt->keys.file, Content::Keys);
      add(jwt->keys.ca, Content::Authorities);
    }
  });
  if (!good) return fail(std::move(good.error()));
  return files;
}

void AuthKeeper::commit(Files files, std::shared_ptr<const config::Settings> settings) {
  files_ = std::move(files);
  settings_ = std::move(settings);
  std::map<std::string, config::KeySource> wanted;
  for_each_auth(*settings_, [&](const config::Auth& auth) {
    const auto* jwt = std::get_if<config::JwtAuth>(&auth.how);
    if (jwt == nullptr || jwt->keys.url.empty()) return;
    const auto [at, added] = wanted.emplace(source_of(jwt->keys), jwt->keys);
    if (!added) at->second.refresh = std::min(at->second.refresh, jwt->keys.refresh);
  });
  for (auto& [url, source] : sources_) {
    if (wanted.contains(url)) continue;
    source->gone = true;
    source->wish->nobody_listens();
    source->wake();
  }
  std::erase_if(sources_, [](const auto& each) { return each.second->gone; });
  for (const auto& [name, keys] : wanted) {
    auto& source = sources_[name];
    if (source != nullptr) {
      source->refresh = keys.refresh;
      source->wake();
      continue;
    }
    source = std::make_shared<Source>();
    source->url = keys.url;
    auto place = http::Url::parse(keys.url);
    CHECK(place.has_value());  // as prepare() has seen
    source->place = std::move(*place);
    source->ca = keys.ca;
    source->refresh = keys.refresh;
    source->wish = std::make_shared<auth::KeyWish>(context_.loop, [raw = source.get()] {
      raw->wanted = true;
      raw->wake();
    });
    scope_.spawn(keep_fetching(source));
  }
  if (!files_.empty() && !is_armed()) context_.loop.timers().arm(*this, context_.loop.now() + look_interval);
}

auth::Guards AuthKeeper::guards_of(const config::Listener& listener) const {
  std::shared_ptr<const auth::Guard> of_listener;
  if (listener.auth && listener.auth->enabled) of_listener = guard_of(*listener.auth);
  auth::Guards guards;
  bool any = of_listener != nullptr;
  for (const config::Rule& rule : listener.rules) {
    if (!rule.auth) {
      guards.push_back(of_listener);
    } else {
      guards.push_back(rule.auth->enabled ? guard_of(*rule.auth) : nullptr);
      any = any || guards.back() != nullptr;
    }
  }
  // On its way to https nobody is to send a password.
  guards.push_back(config::redirects_to_https(listener) ? nullptr : of_listener);
  if (!any) guards.clear();
  return guards;
}

std::shared_ptr<const auth::Guard> AuthKeeper::guard_of(const config::Auth& auth) const {
  auto guard = std::make_shared<auth::Guard>();
  if (const auto* basic = std::get_if<config::BasicAuth>(&auth.how)) {
    const File& file = files_.at(basic->file);
    guard->how = auth::BasicGuard{.users = file.users,
                                  .nobody = auth::hash_of_nobody(file.users->cost_max),
                                  .realm = basic->realm,
                                  .header = basic->header};
    if (!basic->header.empty()) guard->headers.push_back(basic->header);
  } else if (const auto* jwt = std::get_if<config::JwtAuth>(&auth.how)) {
    auto policy = auth::TokenPolicy::compile(*jwt);
    CHECK(policy.has_value());  // as prepare() has seen
    auth::JwtGuard tokens{
        .policy = std::move(*policy), .keys = {}, .wish = {}, .cookie = jwt->cookie, .realm = jwt->realm};
    if (jwt->keys.url.empty()) {
      tokens.keys = files_.at(jwt->keys.file).keys;
    } else {
      const Source& source = *sources_.at(source_of(jwt->keys));
      tokens.keys = source.keys;
      tokens.wish = source.wish;
    }
    guard->how = std::move(tokens);
    for (const config::ClaimHeader& each : jwt->headers) guard->headers.push_back(each.header);
  } else {
    const auto& forward = std::get<config::ForwardAuth>(auth.how);
    const auto& groups = settings_->target_groups;
    const auto group =
        std::ranges::find_if(groups, [&](const config::TargetGroup& each) { return each.name == forward.group; });
    CHECK(group != groups.end());  // as config/checks.cc has seen
    guard->how =
        auth::ForwardGuard{.settings = forward, .group_index = static_cast<std::uint32_t>(group - groups.begin())};
    guard->headers = forward.response_headers;
  }
  return guard;
}

void AuthKeeper::expired() {
  for (auto& [path, file] : files_) look_at(path, file);
  if (!files_.empty()) context_.loop.timers().arm(*this, context_.loop.now() + look_interval);
}

void AuthKeeper::look_at(const std::string& path, File& file) {
  const auto stamp = io::stamp_of(path);
  if (stamp && *stamp == file.stamp) return;
  if (!stamp && file.is_bad) return;
  auto next = read(path, content_of(file));
  if (next) {
    file = std::move(*next);
    context_.events.add("auth.file_read", path, "it has changed and was read again");
    context_.changed();
    return;
  }
  // Said once for each content, and once while it is away.
  file.stamp = stamp.value_or(io::FileStamp{});
  file.is_bad = true;
  context_.events.add("auth.file_refused", path, next.error().text() + "; what was read before stays");
}

Result<std::shared_ptr<const tls::ClientContext>> AuthKeeper::context_of(const Source& source) {
  if (!source.ca.empty()) return files_.at(source.ca).tls;
  if (system_tls_ == nullptr) {
    auto made = tls::load_client_context({});
    if (!made) return fail(std::move(made.error()));
    system_tls_ = std::move(*made);
  }
  return system_tls_;
}

io::Task<Result<std::string>> AuthKeeper::fetch(const Source& source) {
  const io::Deadline deadline = io::Deadline::at(context_.loop.fresh_now() + fetch_time_max);
  http::FetchRequest request{.response_bytes_max = auth::key_set_bytes_max};
  if (source.place.secure) {
    auto context = context_of(source);
    if (!context) co_return fail(std::move(context.error()));
    request.tls = std::move(*context);
  }
  http::FetchResponse response =
      co_await io::need(http::fetch_url(context_.loop, context_.resolver, source.place, std::move(request), deadline));
  if (response.status != 200) co_return fail(Code::Invalid, fmt::format("it answered {}, not 200", response.status));
  co_return std::move(response.body);
}

void AuthKeeper::take(Source& source, Result<std::string> fetched) {
  source.asked = true;
  source.wanted = false;
  source.wish->fulfilled();
  std::string trouble;
  if (!fetched) {
    trouble = fetched.error().text();
  } else if (!source.failing && source.keys != nullptr && *fetched == source.text) {
    return;
  } else if (auto keys = auth::KeySet::parse(*fetched); !keys) {
    trouble = keys.error().text();
  } else {
    source.failing = false;
    source.text = std::move(*fetched);
    source.keys = std::make_shared<const auth::KeySet>(std::move(*keys));
    context_.events.add("auth.keys_fetched", source.url, fmt::format("{} keys", source.keys->keys().size()));
    context_.changed();
    return;
  }
  if (std::exchange(source.failing, true)) return;  // said once
  context_.events.add(
      "auth.keys_failed", source.url,
      fmt::format("{}; {}", trouble,
                  source.keys != nullptr ? "the last good keys stay"
                                         : "there are none yet: every request that needs them gets 503"));
}

io::Task<void> AuthKeeper::keep_fetching(std::shared_ptr<Source> source) {
  io::Strand& strand = co_await io::this_strand();
  source->strand = &strand;
  while (!source->gone && !strand.cancelled()) {
    source->fetched_at = context_.loop.fresh_now();
    Result<std::string> fetched = co_await fetch(*source);
    if (source->gone || strand.cancelled()) break;
    take(*source, std::move(fetched));
    while (!source->gone && !strand.cancelled()) {
      const io::Duration again = source->wanted    ? io::Duration(fetch_interval_min)
                                 : source->failing ? std::min<io::Duration>(fetch_retry, source->refresh)
                                                   : source->refresh;
      const io::Deadline next = io::Deadline::at(source->fetched_at + again);
      if (next.passed(context_.loop.fresh_now())) break;
      source->asleep = true;
      co_await io::Sleep(next);
      source->asleep = false;
    }
  }
  source->strand = nullptr;
}

io::Task<void> AuthKeeper::fetched_once(io::Deadline deadline) {
  constexpr auto look = std::chrono::milliseconds(5);
  const auto all_asked = [this] {
    return std::ranges::all_of(sources_, [](const auto& each) { return each.second->asked; });
  };
  while (!all_asked() && !deadline.passed(context_.loop.fresh_now())) {
    if (!co_await io::Sleep(earlier(deadline, context_.loop.after(look)))) co_return;
  }
}

io::Task<void> AuthKeeper::close() {
  disarm();
  for (const auto& [url, source] : sources_) source->wish->nobody_listens();
  co_await scope_.close();
}

}  // namespace ballast::traffic

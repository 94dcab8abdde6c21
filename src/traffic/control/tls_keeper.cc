#include "traffic/control/tls_keeper.h"

#include <algorithm>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/control/tls_contexts.h"

namespace ballast::traffic {
namespace {

constexpr auto look_every = std::chrono::seconds(1);
// From here on a certificate that expires is an event a day.
constexpr auto expiry_notice = std::chrono::days(21);
constexpr auto expiry_repeat = std::chrono::hours(24);

bool needs_contexts(const config::TargetGroup& group) {
  return is_secure(group.protocol) || group.health_check.protocol == config::CheckProtocol::Https ||
         group.health_check.protocol == config::CheckProtocol::Tls;
}

// Changed on the disk since it was read, and not still changing. Remembers what it saw.
bool is_to_be_read(WatchedFiles& watched) {
  std::vector<std::optional<io::FileStamp>> now = stamps_of(watched.paths);
  const bool settled = now == watched.seen;
  watched.seen = std::move(now);
  return settled && watched.seen != watched.read;
}

std::string ticket_keys_file(const std::string& state_directory) {
  return state_directory + "/tls-ticket-keys";
}

std::vector<std::string> alpn_of(const config::TargetGroup& group) {
  return is_http2(group.protocol) ? std::vector<std::string>{"h2"} : std::vector<std::string>{};
}

// One that is obtained has been renewed before, unless that fails; its lifetime may be a few days.
model::WallTime::duration notice_of(const ListenerContexts& contexts, const tls::Certificate& certificate) {
  const auto longest = std::chrono::duration_cast<model::WallTime::duration>(expiry_notice);
  if (!contexts.obtained.contains(certificate.files.cert)) return longest;
  return std::min(longest, (certificate.not_after - certificate.not_before) / 4);
}

// Those of some authorities have no subject.
const std::string& shown_as(const tls::Certificate& certificate) {
  return certificate.subject.empty() && !certificate.names.empty() ? certificate.names.front() : certificate.subject;
}

}  // namespace

Result<TlsKeeper::Change> TlsKeeper::prepare(const config::Settings& settings) {
  Change change;
  for (const config::Listener& listener : settings.listeners) {
    if (listener.certificates.empty()) continue;
    const auto known = listeners_.find(listener.name);
    if (known != listeners_.end() && known->second->files == listener.certificates &&
        known->second->settings == listener.tls &&
        listener_settings_.at(listener.name)->http2.enabled == listener.http2.enabled &&
        listener_settings_.at(listener.name)->protocol == listener.protocol &&
        known->second->watched.read == stamps_of(known->second->watched.paths)) {
      change.listeners.emplace(listener.name, known->second);
      continue;
    }
    auto made = make_contexts(listener, settings.state_directory, ticket_keys_, shared());
    if (!made) return fail(std::move(made.error()).within(fmt::format("listener \"{}\"", listener.name)));
    change.listeners.emplace(listener.name, std::move(*made));
  }
  for (const config::TargetGroup& group : settings.target_groups) {
    if (!needs_contexts(group)) continue;
    const auto known = groups_.find(group.name);
    if (known != groups_.end() && known->second->settings == group.tls && known->second->alpn == alpn_of(group) &&
        known->second->watched.read == stamps_of(known->second->watched.paths)) {
      change.groups.emplace(group.name, known->second);
      continue;
    }
    auto made = make_contexts(group.tls, alpn_of(group), shared());
    if (!made) return fail(std::move(made.error()).within(fmt::format("target group \"{}\"", group.name)));
    change.groups.emplace(group.name, std::move(*made));
  }
  change.settings = &settings;
  return change;
}

void TlsKeeper::commit(Change change) {
  for (const auto& [name, made] : change.listeners) {
    const auto known = listeners_.find(name);
    if (known == listeners_.end() || known->second != made) say_warnings(name, *made);
  }
  listeners_ = std::move(change.listeners);
  groups_ = std::move(change.groups);
  listener_settings_.clear();
  for (const config::Listener& listener : change.settings->listeners) {
    if (listeners_.contains(listener.name)) {
      listener_settings_.emplace(listener.name, std::make_shared<const config::Listener>(listener));
    }
  }
  state_directory_ = change.settings->state_directory;
  if (listeners_.empty() && groups_.empty()) {
    disarm();
    return;
  }
  keep_ticket_keys();
  warn_of_expiry();
  if (!is_armed()) context_.loop.timers().arm(*this, context_.loop.now() + look_every);
}

void TlsKeeper::say_warnings(const std::string& name, const ListenerContexts& made) {
  for (const std::string& note : made.notes) context_.events.add("certificate.warning", name, note);
  for (const auto& certificate : made.certificates) {
    for (const std::string& warning : certificate->warnings) {
      context_.events.add("certificate.warning", name, warning);
    }
  }
}

void TlsKeeper::expired() {
  look();
  keep_ticket_keys();
  warn_of_expiry();
  context_.loop.timers().arm(*this, context_.loop.now() + look_every);
}

void TlsKeeper::look() {
  bool changed = false;
  for (auto& [name, current] : listeners_) {
    if (!is_to_be_read(current->watched)) continue;
    const auto stamps = current->watched.seen;
    auto made = make_contexts(*listener_settings_.at(name), state_directory_, ticket_keys_, shared());
    if (!made) {
      current->watched.read = stamps;  // not tried again before they change again
      current->problem = made.error().text();
      context_.events.add("certificate.refused", name, current->problem + "; the certificates from before stay");
      continue;
    }
    current = std::move(*made);
    say_warnings(name, *current);
    if (current->certificates.empty()) {
      context_.events.add("certificate.loaded", name, "its files have changed: there is no certificate to show now");
    } else {
      context_.events.add(
          "certificate.loaded", name,
          fmt::format("its files have changed: new connections are shown {}, good until {:%Y-%m-%d}",
                      shown_as(*current->certificates.front()),
                      fmt::gmtime(std::chrono::system_clock::to_time_t(current->certificates.front()->not_after))));
    }
    changed = true;
  }
  for (auto& [name, current] : groups_) {
    if (!is_to_be_read(current->watched)) continue;
    const auto stamps = current->watched.seen;
    auto made = make_contexts(current->settings, current->alpn, shared());
    if (!made) {
      current->watched.read = stamps;
      context_.events.add("certificate.refused", name, made.error().text() + "; what was read before stays");
      continue;
    }
    current = std::move(*made);
    context_.events.add("certificate.loaded", name, "the files of its tls have changed: new connections use them");
    changed = true;
  }
  if (changed) context_.changed();
}

void TlsKeeper::keep_ticket_keys() {
  const bool wanted = std::any_of(listeners_.begin(), listeners_.end(),
                                  [](const auto& each) { return each.second->settings.session_tickets; });
  if (!wanted) return;
  if (!std::exchange(ticket_keys_loaded_, true)) load_ticket_keys();
  const tls::TicketKeys& keys = ticket_keys_->get();
  tls::TicketKeys next = tls::rotated(keys, std::chrono::system_clock::now());
  if (next == keys) return;
  save_ticket_keys(next);
  ticket_keys_->set(std::move(next));
}

void TlsKeeper::load_ticket_keys() {
  constexpr std::size_t bytes_max = 64 * kib;
  const std::string path = ticket_keys_file(state_directory_);
  const Result<std::string> text = io::read_file(path, bytes_max);
  if (!text && text.error().code() == Code::NotFound) return;
  Result<tls::TicketKeys> keys = text ? tls::read_ticket_keys(*text) : fail(text.error());
  if (keys) return ticket_keys_->set(std::move(*keys));
  context_.events.add("state.not_loaded", path,
                      keys.error().text() + ": new ticket keys are made, and clients shake hands in full once");
}

void TlsKeeper::save_ticket_keys(const tls::TicketKeys& keys) {
  Result<> saved = io::make_folder(state_directory_);
  if (saved) saved = io::write_file_atomically(ticket_keys_file(state_directory_), tls::write_ticket_keys(keys), 0600);
  if (saved) return;
  context_.events.add("state.not_saved", state_directory_,
                      fmt::format("{}: clients shake hands in full after a restart; make state_directory writable",
                                  saved.error().text()));
}

void TlsKeeper::warn_of_expiry() {
  const model::WallTime now = std::chrono::system_clock::now();
  for (const auto& [name, current] : listeners_) {
    for (const auto& certificate : current->certificates) {
      const auto left = certificate->not_after - now;
      if (left > notice_of(*current, *certificate)) continue;
      model::WallTime& warned = warned_[name + "/" + certificate->files.cert];
      if (now - warned < expiry_repeat) continue;
      warned = now;
      const auto when = fmt::gmtime(std::chrono::system_clock::to_time_t(certificate->not_after));
      if (left.count() <= 0) {
        context_.events.add("certificate.expired", name,
                            fmt::format("{} ({}) expired on {:%Y-%m-%d %H:%M} UTC: clients refuse it; renew it",
                                        certificate->files.cert, certificate->subject, when));
      } else {
        context_.events.add(
            "certificate.expires", name,
            fmt::format("{} ({}) expires in {} days, on {:%Y-%m-%d %H:%M} UTC: renew it", certificate->files.cert,
                        certificate->subject, std::chrono::floor<std::chrono::days>(left).count(), when));
      }
    }
  }
}

std::vector<std::shared_ptr<const tls::ServerContext>> TlsKeeper::listener(const std::string& name) const {
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return {};
  return found->second->by_worker;
}

std::shared_ptr<const GroupContexts> TlsKeeper::group(const std::string& name) const {
  const auto found = groups_.find(name);
  return found != groups_.end() ? found->second->contexts : nullptr;
}

std::vector<model::CertificateStatus> TlsKeeper::status() const {
  std::vector<model::CertificateStatus> all;
  for (const auto& [name, current] : listeners_) {
    for (const auto& certificate : current->certificates) {
      all.push_back({.listener = name,
                     .file = certificate->files.cert,
                     .subject = certificate->subject,
                     .names = certificate->names,
                     .key = certificate->key_kind,
                     .not_after = certificate->not_after,
                     .problem = current->problem});
    }
  }
  return all;
}

}  // namespace ballast::traffic

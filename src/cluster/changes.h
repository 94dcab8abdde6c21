// Changes: what operators change, through the Service, with a history: each change is noted with who asked for it, what
// became different and how it went; an applied configuration can be gone back to, and one that is not confirmed in time
// is taken back.
//
//   apply          not confirmed by then    the configuration before comes into force again, by itself, also where this
//   with a time                             process has been replaced or started again meanwhile
//                  confirm()                it stays
//                  another change without   it stays too: who changes further has seen it work
//                  a time
//
// Built by app/ between admin/ and the Service; control thread. A history that cannot be written costs no change: an
// event says so.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/history.h"
#include "io/loop.h"
#include "model/history.h"

namespace ballast::cluster {

class Changes final : private io::Timer {
 public:
  struct Options {
    std::string file;     // where the history is kept
    std::string subject;  // the file that the program was started with
    // The settings of a recording, with what is wrong with it as the Error's text.
    std::function<Result<config::Settings>(const std::string& recording)> read;
    struct Event {
      std::string kind;
      std::string subject;
      std::string text;
    };
    std::function<void(Event)> event;
    std::function<model::WallTime()> now = [] { return std::chrono::system_clock::now(); };
  };
  static constexpr auto confirm_time_max = std::chrono::hours(24);

  // Who asks, and whether the change is to be confirmed.
  struct Request {
    model::Actor actor;
    std::optional<std::chrono::milliseconds> confirm_within;
  };

  Changes(io::Loop& loop, model::Service& service, Options options);
  ~Changes() override { disarm(); }

  // The service serves. Anew: by the file it was started with; what waited to be confirmed before is forgotten.
  // Continued: by what another process served by.
  enum class Start : std::uint8_t { Anew, Continued };
  void begin(Start start);
  // Another process serves, or none will: takes nothing back any more.
  void end() { disarm(); }

  Result<model::ApplyReport> apply(config::Settings next, const Request& request);
  Result<model::ApplyReport> reload(const Request& request);
  // To the configuration of an entry of the history.
  Result<model::ApplyReport> rollback(std::uint64_t id, const Request& request);
  // NotFound: nothing waits for it.
  Result<> confirm(const model::Actor& actor);
  struct Named {
    std::string group;
    std::string target;
  };
  Result<> drain(const Named& which, const model::Actor& actor);
  Result<> enable(const Named& which, const model::Actor& actor);
  // nullopt: the file's holds again.
  Result<> weigh(const Named& which, std::optional<int> weight, const model::Actor& actor);

  Result<> maintain(const std::string& listener, model::Service::Maintenance maintenance, const model::Actor& actor);

  // Unsupported where the history cannot be kept; the text says why.
  Result<std::vector<model::HistoryEntry>> list(const History::Page& page) const;
  Result<model::HistoryEntry> entry(std::uint64_t id) const;
  // The text of the main file.
  Result<std::string> configuration(std::uint64_t id) const;
  Result<std::optional<Unconfirmed>> unconfirmed() const;

 private:
  using Outcome = Result<model::ApplyReport>;
  Result<const History*> history() const;
  Result<> check(const Request& request) const;
  // Notes a change of the whole configuration, and what is to become of it.
  void note(model::HistoryEntry entry, const Outcome& outcome, const Request& request);
  Result<> note(const std::string& kind, const Named& which, const model::Actor& actor, const Result<>& outcome,
                const std::string& text);
  Result<> note(model::HistoryEntry entry, const Result<>& outcome, const std::string& text);
  std::uint64_t add(model::HistoryEntry entry, const std::string& configuration);
  std::string recording() const;
  void await_confirmation(const std::optional<Unconfirmed>& change);
  void expired() override;
  void take_back(const Unconfirmed& change);
  void trouble(const Error& error) const;

  io::Loop& loop_;
  model::Service& service_;
  Options options_;
  std::unique_ptr<History> history_;
  std::string why_none_;
  int take_back_tries_ = 0;
};

}  // namespace ballast::cluster

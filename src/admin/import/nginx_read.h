// nginx.conf: servers become listeners, locations become rules in the order in which nginx would have chosen them.
//
// What a location inherits from its server and http block is carried in a Scope. A directive that has no counterpart is
// a note; one that guards something (auth_basic, deny) and cannot be carried over closes what it guarded.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/import/nginx_syntax.h"

namespace ballast::admin {

// The values in force at one place of the file.
struct NginxScope {
  std::string connect_timeout;  // ours, as YAML; empty: nginx's default
  std::string read_timeout;
  std::string auth_realm;  // empty or "off": nobody is asked
  std::string auth_file;
  std::string auth_request;
  const NginxDirective* auth_from = nullptr;
  std::string default_type = "text/plain";
  std::string root;
  bool is_alias = false;           // the root takes the place of the location's prefix
  std::vector<std::string> index;  // empty: nginx's default
  bool lists = false;              // autoindex
  bool passes_host = false;
  int tries = 0;                                     // 0: ours
  std::vector<std::pair<bool, std::string>> access;  // allow or deny, and the network; empty: "all"
};

struct NginxServer {
  const NginxDirective* directive = nullptr;
  NginxScope scope;
  std::vector<std::string> names;
};

class NginxReader {
 public:
  NginxReader(const ImportSource& source, Draft& draft) : source_(source), draft_(draft) {}
  void read(std::vector<NginxDirective>& all);

 private:
  struct Listen {  // the servers on an address
    std::vector<const NginxServer*> servers;
    const NginxServer* first_choice = nullptr;  // default_server
    bool is_tls = false;
  };

  // nginx_read.cc
  void main_directive(const NginxDirective& directive);
  void http(NginxDirective& block);
  void server(const NginxDirective& block, const NginxScope& scope);
  void listen(const NginxDirective& directive, NginxServer& server);
  void make_listener(const std::string& address, Listen& listen);
  void limits(const std::vector<const NginxServer*>& servers, DraftListener& listener);
  void stream(const NginxDirective& block);
  void stream_server(const NginxDirective& block);
  void left_out(const NginxDirective& directive, std::string_view why);

  // nginx_upstream.cc
  void upstream(const NginxDirective& block);
  void upstream_server(const NginxDirective& directive, DraftGroup& group);
  void balance(const NginxDirective& directive, DraftGroup& group);
  // The group behind `proxy_pass`, with the timeouts of the place; empty: it cannot be one.
  std::string group_for(const NginxDirective& pass, std::string_view protocol, const NginxScope& scope);

  // nginx_location.cc
  // Takes what a location inherits; true: it was that.
  bool take_into(const NginxDirective& directive, NginxScope& scope);
  void rules_of(const NginxServer& server, const std::vector<std::string>& hosts, DraftListener& listener,
                bool is_default);
  struct Place {  // what a location's block asks for
    std::string action;
    std::string auth;
    std::vector<std::pair<bool, std::string>> access;
  };
  Place place_of(const std::vector<NginxDirective>& block, NginxScope scope, const NginxServer& server);
  std::string auth_of(const NginxScope& scope, const NginxServer& server, std::string& action);
  std::string return_action(const NginxDirective& directive, const NginxScope& scope);
  // Files of the root; `tries`: the try_files there, or nullptr.
  std::string files_action(const NginxDirective* tries, const NginxScope& scope, const NginxDirective& server);
  std::string pass_action(const NginxDirective& directive, const NginxScope& scope, std::string_view prefix);
  void add_rules(const DraftRule& match, const Place& place, std::vector<DraftRule>& into);
  void rewrite(const NginxDirective& directive, const DraftRule& hosts, std::vector<DraftRule>& into);
  void condition(const NginxDirective& directive, const NginxServer& server, const DraftRule& hosts,
                 std::vector<DraftRule>& into);

  const ImportSource& source_;
  Draft& draft_;
  std::map<std::string, const NginxDirective*> http_upstreams_;
  std::map<std::string, const NginxDirective*> stream_upstreams_;
  std::map<std::string, std::string> group_of_;  // by protocol, target and settings
  std::vector<std::pair<std::string, Listen>> listens_;
  std::vector<std::unique_ptr<NginxServer>> servers_;
  std::string prefix_;  // of the location being read; empty: none
  bool said_access_log_ = false;
};

// "1h30m" or "60"; none: it is no time.
std::optional<long> nginx_milliseconds(std::string_view text);
// Within what a property takes, as YAML.
struct Milliseconds {
  long min = 0;
  long max = 0;
};
std::string duration_text(long ms, Milliseconds bounds);
// What is said of a directive that is not carried over.
std::string_view why_left_out(std::string_view name);

// A text with nginx's variables as one with ours; none: one of them has no counterpart.
std::optional<std::string> with_our_placeholders(std::string_view text);

Imported read_nginx(const ImportSource& source);
bool recognises_nginx(std::string_view file_name, std::string_view text);

}  // namespace ballast::admin

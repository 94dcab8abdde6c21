// Conditions: a config::Match compiled. All that are present must hold; within one, any of its patterns.
//
// Immutable; any thread; matching allocates only where a query value has to be percent-decoded.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "traffic/route/facts.h"
#include "traffic/route/pattern.h"

namespace ballast::traffic {

class Conditions {
 public:
  static Result<Conditions> compile(const config::Match& match);
  bool hold(const RequestFacts& facts) const;

  // The patterns of the host condition, none: any host. In lower case and without a final dot.
  const std::vector<TextPattern>& hosts() const { return hosts_; }

 private:
  struct Named {
    std::string name;
    TextPattern pattern;
  };
  bool header_holds(const Named& wanted, const http::Fields* fields) const;

  std::vector<TextPattern> hosts_;
  std::vector<TextPattern> paths_;
  std::vector<std::string> methods_;
  std::vector<Named> headers_;
  std::vector<Named> parameters_;
  std::vector<config::Network> sources_;
  std::vector<TextPattern> snis_;
};

// The host that patterns are compared with: without the dot that ends a fully qualified name.
inline Bytes host_of_record(Bytes host) {
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return host;
}

bool contains(const config::Network& network, const std::array<std::uint8_t, 16>& address);

}  // namespace ballast::traffic

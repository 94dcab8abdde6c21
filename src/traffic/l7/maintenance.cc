// What is answered while an operator has the listener under maintenance.
#include <algorithm>

#include <fmt/format.h>

#include "traffic/l7/exchange.h"
#include "traffic/l7/grpc.h"
#include "traffic/route/conditions.h"

namespace ballast::traffic {

bool Exchange::is_under_maintenance() const {
  return std::ranges::none_of(listener_->maintenance->except,
                              [&](const config::Network& network) { return contains(network, source_); });
}

io::Task<After> Exchange::answer_maintenance() {
  const config::Maintenance& maintenance = *listener_->maintenance;
  state_->retry_after = fmt::format_int(std::chrono::ceil<std::chrono::seconds>(maintenance.retry_after).count()).str();
  const bool has_page = !maintenance.page.empty();
  // A client of gRPC looks at no pages.
  if (!has_page || (client_.major_version() == 2 && is_grpc(state_->request))) {
    co_return co_await refuse(Reason::Maintenance);
  }
  state_->facts.reason = Reason::Maintenance;
  co_return co_await answer_own(
      {.status = status_of(Reason::Maintenance), .content_type = maintenance.content_type, .body = maintenance.page});
}

}  // namespace ballast::traffic

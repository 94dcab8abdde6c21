// Contexts from files: what a listener or a group is configured with, read, checked and made ready for each worker.
// Blocks while it reads. Errors name the file; the caller adds whose it is.
#pragma once

#include "traffic/control/tls_keeper.h"

namespace ballast::traffic {

std::vector<std::string> files_of(const config::Listener& listener);
std::vector<std::string> files_of(const config::GroupTls& tls);
std::vector<std::optional<io::FileStamp>> stamps_of(const std::vector<std::string>& paths);

Result<std::shared_ptr<ListenerContexts>> make_contexts(const config::Listener& listener,
                                                        std::shared_ptr<const tls::TicketKeyRing> ticket_keys,
                                                        int workers);
Result<std::shared_ptr<TargetContexts>> make_contexts(const config::GroupTls& tls, const std::vector<std::string>& alpn,
                                                      int workers);

}  // namespace ballast::traffic

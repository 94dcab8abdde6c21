// Contexts from files: what a listener or a group is configured with, read, checked and made ready for each worker.
// Blocks while it reads. Errors name the file; the caller adds whose it is.
#pragma once

#include "traffic/control/tls_keeper.h"

namespace ballast::traffic {

// Certificates that are obtained stand in the state directory.
std::vector<std::string> files_of(const config::Listener& listener, const std::string& state_directory);
std::vector<std::string> files_of(const config::GroupTls& tls);
std::vector<std::optional<io::FileStamp>> stamps_of(const std::vector<std::string>& paths);

// A certificate that is to be obtained and has not come is left out: clients that ask for its names are refused.
Result<std::shared_ptr<ListenerContexts>> make_contexts(const config::Listener& listener,
                                                        const std::string& state_directory,
                                                        std::shared_ptr<const tls::TicketKeyRing> ticket_keys,
                                                        const ContextUse& use);
Result<std::shared_ptr<TargetContexts>> make_contexts(const config::GroupTls& tls, const std::vector<std::string>& alpn,
                                                      const ContextUse& use);

}  // namespace ballast::traffic

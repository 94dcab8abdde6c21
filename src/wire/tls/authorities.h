// Whom to believe: a store of authorities, with revocation lists where there are some.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "wire/tls/owned.h"

struct stack_st_X509_NAME;

namespace ballast::tls {

// What is in `authorities_pem` is trusted as it is: roots, intermediates, or the peer's own certificate. Both texts
// have been checked (certificate.h).
Result<Owned<x509_store_st>> authority_store(Bytes authorities_pem, Bytes revocations_pem);
// Those that the system trusts.
Result<Owned<x509_store_st>> system_authorities();
// The subjects, as a server tells them to clients; the caller's to free.
stack_st_X509_NAME* authority_names(Bytes authorities_pem);

}  // namespace ballast::tls

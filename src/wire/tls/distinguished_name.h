// The name of a certificate's subject or issuer as text, RFC 2253 style: "CN=alice,O=Example". Control characters and
// all that is not ASCII are escaped, so that it may stand in a header and a log line. At most 1,024 bytes.
#pragma once

#include <string>

struct X509_name_st;

namespace ballast::tls {

std::string distinguished_name(const X509_name_st* name);

}  // namespace ballast::tls

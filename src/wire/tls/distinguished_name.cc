#include "wire/tls/distinguished_name.h"

#include <algorithm>

#include <openssl/bio.h>
#include <openssl/x509.h>

namespace ballast::tls {

std::string distinguished_name(const X509_name_st* name) {
  constexpr std::size_t bytes_max = 1024;
  BIO* out = BIO_new(BIO_s_mem());
  if (out == nullptr || name == nullptr) {
    BIO_free(out);
    return "";
  }
  X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, std::min(static_cast<std::size_t>(std::max(size, 0L)), bytes_max));
  BIO_free(out);
  return text;
}

}  // namespace ballast::tls

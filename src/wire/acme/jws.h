// Jws: the signed envelopes that requests of ACME travel in (RFC 8555 6.2, RFC 7515 flattened), and the one within them
// that binds an account to one outside (RFC 8555 7.3.4). Pure functions.
#pragma once

#include <string>

#include "wire/acme/account_key.h"

namespace ballast::acme {

struct JwsHeader {
  std::string url;
  std::string nonce;
  std::string key_id;  // the account's URL; empty: the key itself is sent along
};
Result<std::string> sign_jws(const AccountKey& key, const JwsHeader& header, Bytes payload);

struct ExternalAccount {
  std::string key_id;
  std::string hmac_key;  // bytes
};
std::string bind_account(const ExternalAccount& account, const AccountKey& key, const std::string& new_account_url);

// What proves the possession of a token (RFC 8555 8.1).
std::string key_authorization(const std::string& token, const AccountKey& key);

}  // namespace ballast::acme

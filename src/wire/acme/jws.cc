#include "wire/acme/jws.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace ballast::acme {
namespace {

using nlohmann::json;

std::string envelope(const std::string& head, const std::string& payload, const std::string& signature) {
  return json{{"protected", head}, {"payload", payload}, {"signature", encode_base64url(signature)}}.dump();
}

}  // namespace

Result<std::string> sign_jws(const AccountKey& key, const JwsHeader& header, Bytes payload) {
  json fields{{"alg", "ES256"}, {"nonce", header.nonce}, {"url", header.url}};
  if (header.key_id.empty()) {
    fields["jwk"] = json::parse(key.jwk());
  } else {
    fields["kid"] = header.key_id;
  }
  // What an authority wrote (the nonce, URLs) need not be UTF-8.
  const std::string head = encode_base64url(fields.dump(-1, ' ', false, json::error_handler_t::replace));
  const std::string body = encode_base64url(payload);
  Result<std::string> signature = key.sign(head + '.' + body);
  if (!signature) return fail(std::move(signature.error()));
  return envelope(head, body, *signature);
}

std::string bind_account(const ExternalAccount& account, const AccountKey& key, const std::string& new_account_url) {
  const json fields{{"alg", "HS256"}, {"kid", account.key_id}, {"url", new_account_url}};
  const std::string head = encode_base64url(fields.dump(-1, ' ', false, json::error_handler_t::replace));
  const std::string body = encode_base64url(key.jwk());
  return envelope(head, body, hmac_sha256(account.hmac_key, head + '.' + body));
}

std::string key_authorization(const std::string& token, const AccountKey& key) {
  return token + '.' + key.thumbprint();
}

}  // namespace ballast::acme

// Store: what is kept of ACME in the state directory, so that a restart orders nothing anew and forgets no back-off:
//
//   acme/accounts/HOST-DIGEST.json         an authority's account: its key and its URL
//   acme/certificates/NAME-DIGEST.pem      a certificate, its key first, in one file: it is replaced whole
//   acme/certificates/NAME-DIGEST.json     where it is from, and how the last attempts went
//
// All with mode 0600, written atomically. Calls block; control thread. Errors name the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "traffic/acme/decide.h"

namespace ballast::traffic::acme {

struct Account {
  std::string key_pem;
  std::string url;          // empty: it is not registered yet
  std::string external_id;  // what it was bound to
};

struct Record {
  std::string directory;  // that the certificate is from
  int failures = 0;       // since the last success
  std::optional<WallTime> attempted;
  std::optional<WallTime> retry_at;
  std::string error;  // of the last attempt; empty: it succeeded
};

// By the set of the names: their order does not count.
std::string certificate_file(const std::string& state_directory, std::vector<std::string> names);

Result<std::optional<Account>> load_account(const std::string& state_directory, const std::string& directory);
Result<> save_account(const std::string& state_directory, const std::string& directory, const Account& account);

// A record that is not there, or cannot be read, is an empty one.
Record load_record(const std::string& state_directory, const std::vector<std::string>& names);
Result<> save_record(const std::string& state_directory, const std::vector<std::string>& names, const Record& record);
Result<> save_certificate(const std::string& state_directory, const std::vector<std::string>& names,
                          const std::string& pem);

}  // namespace ballast::traffic::acme

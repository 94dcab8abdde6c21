#include "traffic/route/query.h"

namespace ballast::traffic {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Bytes query_decoded(Bytes text, std::string& storage) {
  if (text.find_first_of("%+") == Bytes::npos) return text;
  storage.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        storage.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    storage.push_back(text[i] == '+' ? ' ' : text[i]);
  }
  return storage;
}

bool query_matches(Bytes query, Bytes name, const TextPattern& pattern) {
  std::string storage;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const Bytes parameter = query.substr(0, end);
    query = end == Bytes::npos ? Bytes() : query.substr(end + 1);
    const std::size_t equals = parameter.find('=');
    if (query_decoded(parameter.substr(0, equals), storage) != name || parameter.empty()) continue;
    const Bytes value = equals == Bytes::npos ? Bytes() : parameter.substr(equals + 1);
    if (pattern.matches(query_decoded(value, storage))) return true;
  }
  return false;
}

}  // namespace ballast::traffic

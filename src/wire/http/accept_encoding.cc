#include "wire/http/accept_encoding.h"

#include <array>
#include <optional>

#include "wire/http/list.h"

namespace ballast::http {
namespace {

constexpr int weight_full = 1000;

// "0", "0.5", "1.000": thousandths (RFC 9110 12.4.2).
int parse_weight(Bytes text) {
  constexpr std::size_t longest = 5;
  if (text.empty() || text.size() > longest || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = text[0] == '1' ? weight_full : 0;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return 0;
  int place = 100;
  for (const char digit : text.substr(2)) {
    if (!is_digit(digit)) return 0;
    weight += (digit - '0') * place;
    place /= 10;
  }
  return weight <= weight_full ? weight : 0;
}

struct Wish {
  Bytes coding;
  int weight = weight_full;
};

Wish parse_wish(Bytes item) {
  const std::size_t semicolon = item.find(';');
  const auto trimmed = [](Bytes text) {
    const char* begin = skip_space(text.data(), text.data() + text.size());
    const char* end = trim_space(begin, text.data() + text.size());
    return Bytes(begin, static_cast<std::size_t>(end - begin));
  };
  Wish wish{.coding = trimmed(item.substr(0, semicolon))};
  if (semicolon == Bytes::npos) return wish;
  const Bytes weight = trimmed(item.substr(semicolon + 1));
  wish.weight = weight.size() > 2 && iequals(weight.substr(0, 2), "q=") ? parse_weight(weight.substr(2)) : 0;
  return wish;
}

constexpr std::size_t codings = 4;

// x-gzip is gzip by another name (RFC 9110 8.4.1.3).
std::optional<Coding> coding_of(Bytes name) {
  if (iequals(name, "gzip") || iequals(name, "x-gzip")) return Coding::Gzip;
  if (iequals(name, "br")) return Coding::Brotli;
  if (iequals(name, "zstd")) return Coding::Zstd;
  if (iequals(name, "identity")) return Coding::Identity;
  return std::nullopt;
}

}  // namespace

Bytes to_string(Coding coding) {
  constexpr std::array<Bytes, codings> names{"identity", "gzip", "br", "zstd"};
  return names[static_cast<std::size_t>(coding)];
}

Coding choose_coding(const Fields& fields, std::span<const Coding> offered) {
  std::array<std::optional<int>, codings> weights;
  std::optional<int> others;
  bool said = false;
  for (const Field& field : fields) {
    if (!iequals(fields.name(field), "Accept-Encoding")) continue;
    said = true;
    ListReader list(fields.value(field));
    for (Bytes item; list.next(item);) {
      const Wish wish = parse_wish(item);
      // Of several for one coding the first holds.
      std::optional<int>* place = nullptr;
      if (wish.coding == "*") {
        place = &others;
      } else if (const auto coding = coding_of(wish.coding)) {
        place = &weights[static_cast<std::size_t>(*coding)];
      }
      if (place != nullptr && !place->has_value()) *place = wish.weight;
    }
  }
  if (!said) return Coding::Identity;
  Coding best = Coding::Identity;
  // Identity is acceptable though not named; whatever is named with a weight is liked better then (12.5.3, 4).
  int best_weight = weights[0].value_or(0);
  for (const Coding coding : offered) {
    const int weight = weights[static_cast<std::size_t>(coding)].value_or(others.value_or(0));
    if (weight == 0) continue;
    const bool better = best == Coding::Identity ? weight >= best_weight : weight > best_weight;
    if (!better) continue;
    best = coding;
    best_weight = weight;
  }
  return best;
}

}  // namespace ballast::http

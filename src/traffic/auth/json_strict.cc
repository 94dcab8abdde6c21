#include "traffic/auth/json_strict.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ballast::traffic::auth {
namespace {

// Stops at the first thing that is not so.
class Inspector final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return is_inside(); }
  bool boolean(bool) override { return is_inside(); }
  bool number_integer(std::int64_t) override { return is_inside(); }
  bool number_unsigned(std::uint64_t) override { return is_inside(); }
  bool number_float(double, const std::string&) override { return is_inside(); }
  bool string(std::string&) override { return is_inside(); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    names_.emplace_back();
    return names_.size() <= json_depth_max;
  }
  bool key(std::string& name) override { return names_.back().insert(name).second; }
  bool end_object() override {
    names_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    if (names_.empty()) return false;
    names_.emplace_back();
    return names_.size() <= json_depth_max;
  }
  bool end_array() override { return end_object(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool is_inside() const { return !names_.empty(); }
  std::vector<std::set<std::string>> names_;  // of each object and list that is open
};

}  // namespace

bool is_strict_object(Bytes text) {
  Inspector inspector;
  return nlohmann::json::sax_parse(text.begin(), text.end(), &inspector);
}

}  // namespace ballast::traffic::auth

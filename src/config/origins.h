// Origins of pages as the configuration may name them: "https://app.example.com", "https://*.example.com:8443", "null",
// "*". Pure.
#pragma once

#include <string>
#include <string_view>

namespace ballast::config {

// What is wrong with one, or nothing.
std::string origin_defect(std::string_view value);

}  // namespace ballast::config

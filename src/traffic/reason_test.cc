#include "traffic/reason.h"

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "traffic/explain/cause.h"

namespace ballast::traffic {
namespace {

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

// The rows of the page's tables by their first cell.
std::map<std::string, std::vector<std::string>> rows_of_the_page() {
  std::ifstream page(BALLAST_SOURCE_DIRECTORY "/docs/guide/errors.md");
  std::map<std::string, std::vector<std::string>> rows;
  std::string line;
  while (std::getline(page, line)) {
    if (!line.starts_with("| ") || !line.ends_with(" |")) continue;
    std::vector<std::string> cells;
    std::istringstream in(line.substr(2, line.size() - 4));
    std::string cell;
    while (std::getline(in, cell, '|')) cells.push_back(trimmed(cell));
    rows[cells.front()] = cells;
  }
  rows.erase("reason");
  rows.erase("code");
  return rows;
}

// ": [tls.md](tls.md)" behind it is for those who read the page.
bool is_text(const std::string& cell, std::string_view text) {
  return cell.starts_with(text) && (cell.size() == text.size() || cell.substr(text.size()).starts_with(": ["));
}

TEST(Reason, EachHasAllItsTexts) {
  for (int i = 1; i < reason_count; ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_FALSE(to_string(reason).empty()) << i;
    EXPECT_FALSE(explain(reason).empty()) << to_string(reason);
    EXPECT_FALSE(happened(reason).empty()) << to_string(reason);
    EXPECT_FALSE(advice(reason).empty()) << to_string(reason);
  }
}

TEST(Cause, HasTheTextsOfTheGuide) {
  const auto rows = rows_of_the_page();
  for (const std::string& name : cause_names()) {
    const auto row = rows.find(name);
    ASSERT_NE(row, rows.end()) << name << " is not in docs/guide/errors.md";
    ASSERT_GE(row->second.size(), 3U) << name;
    const Cause cause = cause_of(name).value();
    EXPECT_TRUE(is_text(row->second[row->second.size() - 2], happened(cause))) << name << ": " << happened(cause);
    EXPECT_TRUE(is_text(row->second.back(), advice(cause))) << name << ": " << advice(cause);
    EXPECT_FALSE(advice(cause).empty()) << name;
  }
  EXPECT_EQ(rows.size(), cause_names().size()) << "the page has a reason that there is not";
}

TEST(Cause, HasANameOfItsOwn) {
  EXPECT_EQ(to_string(Cause(Reason::ConnectRefused)), "connect_refused");
  EXPECT_EQ(to_string(Cause(tls::HandshakeEnd::NoCertificate)), "tls_no_certificate");
  EXPECT_EQ(to_string(Cause(http2::SessionDefect::Flood)), "http2_flood");
  EXPECT_EQ(cause_of("http2_flood"), Cause(http2::SessionDefect::Flood));
  EXPECT_EQ(cause_of("tls_ok"), std::nullopt) << "nothing is kept of it";
  EXPECT_EQ(cause_of(""), std::nullopt);
  EXPECT_EQ(cause_of("nonsense"), std::nullopt);
  EXPECT_TRUE(Cause(Reason::None).is_none());
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < Cause::count; ++i) {
    EXPECT_TRUE(seen.emplace(to_string(Cause::at(i)), i).second) << to_string(Cause::at(i));
  }
}

}  // namespace
}  // namespace ballast::traffic

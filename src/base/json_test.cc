#include "base/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ballast {
namespace {

using nlohmann::json;

TEST(Json, MembersOfTheRightType) {
  const json document = json::parse(R"({"text": "a", "number": 18446744073709551615, "integer": -3, "flag": true,
                                        "list": [{"x": 1}, 2, {"x": 3}, null]})");
  EXPECT_EQ(json_text(document, "text"), "a");
  EXPECT_EQ(json_number(document, "number"), 18446744073709551615U);
  EXPECT_EQ(json_integer(document, "integer"), -3);
  EXPECT_TRUE(json_flag(document, "flag"));
  const auto objects = json_objects(document, "list");
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(json_number(objects[1], "x"), 3U);
}

TEST(Json, EverythingElseReadsAsNothing) {
  const json documents[] = {json::parse(R"({"x": null})"),
                            json::parse(R"({"x": {"x": 1}})"),
                            json::parse(R"({"y": "a"})"),
                            json::parse(R"([{"x": "a"}])"),
                            json::parse("5"),
                            json(),
                            json::parse("{", nullptr, false)};
  for (const json& document : documents) {
    EXPECT_EQ(json_text(document, "x"), "") << document.is_discarded();
    EXPECT_EQ(json_number(document, "x"), 0U);
    EXPECT_EQ(json_integer(document, "x"), 0);
    EXPECT_FALSE(json_flag(document, "x"));
    EXPECT_TRUE(json_objects(document, "x").empty());
  }
  EXPECT_EQ(json_text(json::parse(R"({"x": 5})"), "x"), "");
  EXPECT_EQ(json_number(json::parse(R"({"x": -5})"), "x"), 0U);
  EXPECT_EQ(json_number(json::parse(R"({"x": 5.5})"), "x"), 0U);
  EXPECT_EQ(json_integer(json::parse(R"({"x": "5"})"), "x"), 0);
  EXPECT_FALSE(json_flag(json::parse(R"({"x": 1})"), "x"));
}

}  // namespace
}  // namespace ballast

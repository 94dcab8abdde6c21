// What authorities answer, and what strangers might.
#include "wire/acme/messages.h"

#include <gmock/gmock.h>

#include "wire/acme/session.h"

namespace ballast::acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Cut at every place it is refused or read, and nothing else happens.
template <typename Parse>
void cut_everywhere(const std::string& text, Parse parse) {
  for (std::size_t i = 0; i < text.size(); ++i) (void)parse(std::string(text, 0, i));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 0x15);
    (void)parse(other);
  }
}

TEST(AcmeMessages, ADirectoryIsRead) {
  const std::string text =
      R"({"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"https://ca/o","keyChange":1,)"
      R"("meta":{"termsOfService":"https://ca/terms","externalAccountRequired":true}})";
  const auto directory = parse_directory(text);
  ASSERT_TRUE(directory.has_value()) << directory.error().text();
  EXPECT_EQ(directory->new_order, "https://ca/o");
  EXPECT_TRUE(directory->wants_external_account);
  cut_everywhere(text, parse_directory);
  for (const std::string& other : {std::string("[]"), std::string("{}"), std::string(""), std::string("<html>"),
                                   std::string(R"({"newNonce":[],"newAccount":{},"newOrder":1,"meta":[]})"),
                                   std::string(R"({"newNonce":")") + std::string(5000, 'x') + "\"}",
                                   std::string(message_bytes_max + 1, ' '), std::string(100'000, '[')}) {
    EXPECT_FALSE(parse_directory(other).has_value()) << other.substr(0, 60);
  }
}

TEST(AcmeMessages, AnOrderIsRead) {
  const std::string text =
      R"({"status":"pending","authorizations":["https://ca/z/1","https://ca/z/2"],"finalize":"https://ca/f",)"
      R"("certificate":"https://ca/c","error":{"type":"urn:ietf:params:acme:error:caa","detail":"no"}})";
  const auto order = parse_order(text);
  ASSERT_TRUE(order.has_value()) << order.error().text();
  EXPECT_EQ(order->status, Status::Pending);
  EXPECT_THAT(order->authorizations, ElementsAre("https://ca/z/1", "https://ca/z/2"));
  EXPECT_EQ(order->problem->text(), "caa: no");
  cut_everywhere(text, parse_order);
  EXPECT_FALSE(parse_order(R"({"status":"odd"})").has_value());
  EXPECT_FALSE(parse_order(R"({"status":"pending","authorizations":[1]})").has_value());
  std::string many = R"({"status":"pending","authorizations":["a")";
  for (int i = 0; i < 300; ++i) many += R"(,"a")";
  EXPECT_FALSE(parse_order(many + "]}").has_value());
}

TEST(AcmeMessages, ChallengesThatCannotBeAnsweredArePassedOver) {
  const std::string text = R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[)"
                           R"({"type":"http-01","url":"https://ca/1","token":"../../etc/passwd","status":"pending"},)"
                           R"({"type":"http-01","url":"https://ca/2","token":"","status":"pending"},)"
                           R"({"type":"http-01","token":"abc","status":"pending"},5,null,)"
                           R"({"type":"http-01","url":"https://ca/3","token":"abc_-9","status":"pending"}]})";
  const auto authorization = parse_authorization(text);
  ASSERT_TRUE(authorization.has_value()) << authorization.error().text();
  ASSERT_EQ(authorization->challenges.size(), 1U);
  EXPECT_EQ(authorization->challenges.front().url, "https://ca/3");
  cut_everywhere(text, parse_authorization);
}

TEST(AcmeMessages, ProblemsAreShownInOneLine) {
  const Problem problem =
      parse_problem(R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too\nmany\u001b[2J","status":429,)"
                    R"("subproblems":[{"identifier":{"type":"dns","value":"a"},"detail":"x"},7]})");
  EXPECT_TRUE(problem.is("rateLimited"));
  EXPECT_FALSE(problem.is("badNonce"));
  EXPECT_THAT(problem.text(), testing::StartsWith("rateLimited: too many [2J; a: x"));
  EXPECT_THAT(problem.text(), Not(HasSubstr("\n")));
  EXPECT_LT(parse_problem(std::string(100'000, 'x')).text().size(), 500U);
  EXPECT_LT(parse_problem(R"({"detail":")" + std::string(100'000, 'x') + "\"}").text().size(), 500U);
  EXPECT_FALSE(parse_problem(R"({"type":"https://elsewhere/badNonce"})").is("badNonce"));
  EXPECT_THAT(parse_problem("<html>\r\nBad gateway").text(), HasSubstr("<html>  Bad gateway"));
}

TEST(AcmeMessages, RetryAfterIsSecondsOrADate) {
  const auto now = std::chrono::system_clock::from_time_t(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  const struct {
    Bytes text;
    std::optional<int> seconds;
  } rows[] = {{"0", 0},
              {"120", 120},
              {"-5", 0},
              {"99999999", 7 * 86'400},
              {"99999999999999999999", std::nullopt},
              {"Sun, 06 Nov 1994 08:50:37 GMT", 60},
              {"Sun, 06 Nov 1994 08:00:00 GMT", 0},
              {"", std::nullopt},
              {"5 minutes", std::nullopt}};
  for (const auto& row : rows) {
    const auto wait = parse_retry_after(row.text, now);
    ASSERT_EQ(wait.has_value(), row.seconds.has_value()) << row.text;
    if (wait.has_value()) EXPECT_EQ(wait->count(), *row.seconds) << row.text;
  }
}

}  // namespace
}  // namespace ballast::acme

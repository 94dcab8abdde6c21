#include "traffic/outlier/failure.h"

#include <gtest/gtest.h>

namespace ballast::traffic::outlier {
namespace {

TEST(Failure, WhichAnswersCountAgainstATarget) {
  for (const int status : {502, 503, 504}) EXPECT_EQ(answer_of(status), Answer::Gateway) << status;
  for (const int status : {500, 501, 505, 511, 599}) EXPECT_EQ(answer_of(status), Answer::ServerError) << status;
  for (const int status : {101, 200, 204, 302, 400, 404, 429, 499})
    EXPECT_EQ(answer_of(status), Answer::Good) << status;
  EXPECT_EQ(answer_of(grpc::Status::Unavailable), Answer::Gateway);
  for (const auto status : {grpc::Status::Unknown, grpc::Status::Internal, grpc::Status::DataLoss}) {
    EXPECT_EQ(answer_of(status), Answer::ServerError);
  }
  // The client's own deadline among them.
  for (const auto status : {grpc::Status::Ok, grpc::Status::NotFound, grpc::Status::DeadlineExceeded,
                            grpc::Status::ResourceExhausted, grpc::Status::Cancelled}) {
    EXPECT_EQ(answer_of(status), Answer::Good);
  }
}

TEST(Failure, WhatAnAttemptEndedWithIsTheTargetsOrNot) {
  int of_target = 0;
  for (int i = 0; i < reason_count; ++i) of_target += is_of_target(static_cast<Reason>(i)) ? 1 : 0;
  EXPECT_EQ(of_target, 8);
  for (const Reason reason :
       {Reason::ConnectRefused, Reason::ConnectTimeout, Reason::ConnectFailed, Reason::TargetTls, Reason::TargetClosed,
        Reason::TargetReset, Reason::TargetTimeout, Reason::TargetMalformed}) {
    EXPECT_TRUE(is_of_target(reason)) << to_string(reason);
  }
  for (const Reason reason :
       {Reason::None, Reason::ClientGone, Reason::Stopped, Reason::RequestMalformed, Reason::RequestTooSlow,
        Reason::TargetsFull, Reason::Overloaded, Reason::PacketTooSmall}) {
    EXPECT_FALSE(is_of_target(reason)) << to_string(reason);
  }
  for (const Code code : {Code::Exhausted, Code::InUse, Code::Cancelled}) EXPECT_TRUE(is_of_this_machine(code));
  for (const Code code :
       {Code::Refused, Code::TimedOut, Code::Unreachable, Code::Reset, Code::Malformed, Code::Denied}) {
    EXPECT_FALSE(is_of_this_machine(code));
  }
}

TEST(Failure, IsANumberThatBecomesWordsAgain) {
  EXPECT_EQ(words_of(failure_of(Reason::ConnectRefused)), "connection refused");
  EXPECT_EQ(words_of(failure_of(Reason::TargetTimeout)), "no answer in time");
  EXPECT_EQ(words_of(failure_of(503)), "answered 503");
  EXPECT_EQ(words_of(failure_of(grpc::Status::Unavailable)), "answered UNAVAILABLE");
  EXPECT_EQ(words_of(0), "not known");
}

}  // namespace
}  // namespace ballast::traffic::outlier

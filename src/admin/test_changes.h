// TestChanges: the real Changes with a history in memory, over the FakeService of a test. Only *_test.cc files include
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admin/fake_service.h"
#include "cluster/changes.h"
#include "io/loop.h"

namespace ballast::admin {

class TestChanges {
 public:
  explicit TestChanges(model::Service& service)
      : changes_(*loop_, service,
                 {.file = ":memory:",
                  .subject = "/etc/ballast/ballast.yaml",
                  .read = [](const std::string&) { return config::Settings{}; },
                  .event = [](const auto&) {},
                  .now = [] { return test_now; }}) {}
  cluster::Changes& get() { return changes_; }

 private:
  std::unique_ptr<io::Loop> loop_ = std::move(*io::Loop::make());
  cluster::Changes changes_;
};

}  // namespace ballast::admin

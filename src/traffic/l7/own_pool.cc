#include "traffic/l7/own_pool.h"

#include "traffic/l7/upstream_pool.h"

namespace ballast::traffic {

OwnPool::~OwnPool() {
  if (pool_ != nullptr) pool_->retire();
}

UpstreamPool& OwnPool::of(TargetShare& target, io::Loop& loop, TargetCell& cell) {
  if (target_.get() != &target) {
    if (pool_ != nullptr) pool_->retire();
    target_ = target.shared_from_this();
    pool_ = std::make_shared<UpstreamPool>(loop, cell);
  }
  return *pool_;
}

}  // namespace ballast::traffic

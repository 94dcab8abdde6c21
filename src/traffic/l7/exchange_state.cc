#include "traffic/l7/exchange_state.h"

#include <utility>

namespace ballast::traffic {

namespace {

// A buffer that one large request made large is not kept for the small ones.
void trim(Buffer& buffer) {
  constexpr std::size_t kept_bytes_max = 16 * kib;
  if (buffer.capacity() > kept_bytes_max) {
    buffer.release();
  } else {
    buffer.clear();
  }
}

void trim(std::string& text) {
  constexpr std::size_t kept_bytes_max = 4 * kib;
  if (text.capacity() > kept_bytes_max) {
    text = std::string();
  } else {
    text.clear();
  }
}

}  // namespace

void ExchangeState::clear() {
  trim(request_bytes);
  trim(small_body);
  trim(kept_body);
  trim(to_target);
  trim(to_client);
  lines.clear();
  body = nullptr;
  connection_body.reset();
  user.clear();
  challenge.clear();
  auth_fault = {};
  granted.clear();
  guarded_headers = {};
  limit_name = {};
  refusal_status = 0;
  retry_after.clear();
  fault = {};
  trim(rewritten);
  edits.clear();
  trim(edit_texts);
  trim(response_texts);
  trouble.clear();
  facts = ExchangeFacts{};
}

ExchangePool::Lease ExchangePool::take() {
  if (kept_.empty()) return Lease(new ExchangeState, Return{this});
  ExchangeState* state = kept_.back().release();
  kept_.pop_back();
  return Lease(state, Return{this});
}

void ExchangePool::give(ExchangeState* state) {
  std::unique_ptr<ExchangeState> owned(state);
  if (kept_.size() >= kept_max) return;
  owned->clear();
  kept_.push_back(std::move(owned));
}

}  // namespace ballast::traffic

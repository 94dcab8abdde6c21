// MirrorCopy: a request that is to be copied to another group. It stands around the request's body and keeps what
// passes, up to a bound; the copy goes out on its own when the request has been answered, and nobody waits for it.
//
// Lives in the Exchange, on the worker's thread. What is sent is a MirroredRequest, which holds all that it needs: it
// outlives the Exchange, its connection and the Plan's group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "traffic/plan.h"
#include "wire/http/body.h"
#include "wire/http/outgoing.h"

namespace ballast::traffic {

class Worker;

// One of the copies that a worker may have under way, from when its request begins.
class MirrorPlace {
 public:
  // Of one worker at once: with bodies of the default bound less than 7 MiB.
  static constexpr int places_max = 100;

  explicit MirrorPlace(int& taken) : taken_(&++taken) {}
  MirrorPlace(MirrorPlace&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  MirrorPlace& operator=(MirrorPlace&&) = delete;
  ~MirrorPlace() {
    if (taken_ != nullptr) --*taken_;
  }

 private:
  int* taken_;
};

class MirrorCopy final : public http::Body {
 public:
  MirrorCopy(http::Body& body, std::uint32_t group_index, std::size_t bytes_max, MirrorPlace place)
      : body_(body), group_index_(group_index), bytes_max_(bytes_max), place_(std::move(place)) {}

  std::uint32_t group_index() const { return group_index_; }
  bool is_too_large() const { return too_large_; }
  // Gives the copy away.
  std::string take_text() { return std::move(text_); }
  MirrorPlace take_place() { return std::move(place_); }

  http::Pulled try_pull() override;
  io::Ready until_ready(io::Deadline deadline) override { return body_.until_ready(deadline); }
  http::Framing framing() const override { return body_.framing(); }
  std::optional<std::uint64_t> left() const override { return body_.left(); }
  bool ended() const override { return body_.ended(); }
  Bytes trailers() const override { return body_.trailers(); }
  http::Flaw oddity() const override { return body_.oddity(); }
  std::optional<std::uint64_t> broken_at() const override { return body_.broken_at(); }
  // What is not to be copied any more may pass by as it likes.
  io::Stream* bypass() override { return too_large_ ? body_.bypass() : nullptr; }
  void bypassed(std::uint64_t count) override { body_.bypassed(count); }
  void bypass_ended() override { body_.bypass_ended(); }

 private:
  http::Body& body_;
  const std::uint32_t group_index_;
  const std::size_t bytes_max_;
  MirrorPlace place_;
  std::string text_;
  bool too_large_ = false;
};

struct MirroredRequest {
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<ListenerShare> listener;
  const PlanGroup* group = nullptr;  // the Plan's
  std::uint32_t slot = 0;
  MirrorPlace place;
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> lines;
  std::string body;
  bool has_body = false;
};

// Sends it, reads the answer away and counts both.
io::Task<void> send_mirrored(Worker& worker, std::unique_ptr<MirroredRequest> request);

}  // namespace ballast::traffic

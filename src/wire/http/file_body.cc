#include "wire/http/file_body.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ballast::http {

FileBody::FileBody(io::Loop& loop, io::ReadFile file, std::vector<Part> parts, std::string after)
    : loop_(loop), file_(std::move(file)), parts_(std::move(parts)), after_(std::move(after)), left_(after_.size()) {
  for (const Part& part : parts_) left_ += part.before.size() + part.size;
  ready_.set_readable();
  settle();
}

// Goes on to the next part that has something left.
void FileBody::settle() {
  while (part_ < parts_.size()) {
    const Part& part = parts_[part_];
    if (!text_sent_ && part.before.empty()) text_sent_ = true;
    if (!text_sent_ || at_ < part.size) return;
    ++part_;
    text_sent_ = false;
    at_ = 0;
  }
}

Pulled FileBody::try_pull() {
  const auto text = [this](const std::string& bytes) {
    left_ -= bytes.size();
    return Pulled{.state = PullState::Data, .data = bytes};
  };
  if (left_ == 0) return {};
  if (part_ == parts_.size()) return text(after_);
  const Part& part = parts_[part_];
  if (!text_sent_) {
    text_sent_ = true;
    const Pulled pulled = text(part.before);
    settle();
    return pulled;
  }
  const std::span<char> buffer = loop_.receive_buffer();
  const std::uint64_t wanted = part.size - at_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, buffer.size()));
  const Result<std::size_t> got = file_.read_at(part.first + at_, buffer.data(), size);
  if (!got) return {.state = PullState::Failed, .code = got.error().code()};
  if (*got == 0) return {.state = PullState::Failed, .code = Code::Closed};
  bypassed(*got);
  return {.state = PullState::Data, .data = {buffer.data(), *got}};
}

FilePiece FileBody::file_piece() {
  if (part_ == parts_.size() || !text_sent_) return {};
  const Part& part = parts_[part_];
  return {.file = &file_, .offset = part.first + at_, .size = part.size - at_};
}

void FileBody::bypassed(std::uint64_t count) {
  CHECK(part_ < parts_.size() && count <= parts_[part_].size - at_);
  at_ += count;
  left_ -= count;
  settle();
}

io::Ready FileBody::until_ready(io::Deadline deadline) {
  return ready_.readable(deadline);
}

}  // namespace ballast::http

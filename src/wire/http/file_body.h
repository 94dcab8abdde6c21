// FileBody: a body that stands in a file, whole or parts of it, with texts between them.
//
// It reads into the loop's shared receive buffer; a plain stream is given the file itself (file_piece()) and the kernel
// copies. Reading blocks for as long as the disk takes; it never says WouldBlock. A file that has become shorter than
// it was when it was opened is Failed with Closed: a length has been promised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/folder.h"
#include "io/loop.h"
#include "wire/http/body.h"

namespace ballast::http {

class FileBody final : public Body {
 public:
  struct Part {
    std::string before;  // text that goes before it
    std::uint64_t first = 0;
    std::uint64_t size = 0;
  };

  FileBody(io::Loop& loop, io::ReadFile file) : FileBody(loop, std::move(file), whole(file.facts()), {}) {}
  FileBody(io::Loop& loop, io::ReadFile file, std::vector<Part> parts, std::string after);

  Pulled try_pull() override;
  io::Ready until_ready(io::Deadline deadline) override;
  Framing framing() const override { return Framing::Length; }
  std::optional<std::uint64_t> left() const override { return left_; }
  bool ended() const override { return left_ == 0; }
  Bytes trailers() const override { return {}; }
  FilePiece file_piece() override;
  void bypassed(std::uint64_t count) override;

 private:
  static std::vector<Part> whole(const io::FileFacts& facts) { return {{.first = 0, .size = facts.size}}; }
  void settle();

  io::Loop& loop_;
  io::ReadFile file_;
  std::vector<Part> parts_;
  std::string after_;
  std::size_t part_ = 0;
  bool text_sent_ = false;  // of this part
  std::uint64_t at_ = 0;    // in this part
  std::uint64_t left_ = 0;
  io::Readiness ready_;  // always
};

}  // namespace ballast::http

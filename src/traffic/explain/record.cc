#include "traffic/explain/record.h"

#include <algorithm>
#include <cstring>

#include "traffic/plan.h"
#include "wire/http/desync.h"

namespace ballast::traffic {
namespace {

constexpr Bytes ellipsis = "…";

// Names of the configuration have at most 64 bytes, addresses 45, host names 253; an id that a proxy in front gave,
// 128.
constexpr std::array<std::size_t, ExplainRecord::text_count> bytes_max{128, 64, 45, 45, 16,  32,  128, 256,
                                                                       256, 64, 64, 64, 128, 200, 32,  256};
constexpr std::size_t target_bytes_max = 80;
constexpr std::size_t attempt_text_bytes_max = 160;

std::chrono::microseconds to_us(io::Duration duration) {
  return duration.count() < 0 ? std::chrono::microseconds(-1)
                              : std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

// Where it is cut, not within a character.
std::size_t whole_characters(Bytes text, std::size_t size) {
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) --size;
  return size;
}

}  // namespace

ExplainRecord::Piece ExplainRecord::add(Bytes text, std::size_t most) {
  const std::size_t room = std::min(most, room_bytes - used_);
  Piece piece{.at = used_};
  const auto append = [&](Bytes bytes) {
    std::memcpy(room_.data() + used_, bytes.data(), bytes.size());
    used_ = static_cast<std::uint16_t>(used_ + bytes.size());
  };
  if (text.size() <= room) {
    if (!text.empty()) append(text);
  } else if (room > ellipsis.size()) {
    append(text.substr(0, whole_characters(text, room - ellipsis.size())));
    append(ellipsis);
  }
  piece.size = static_cast<std::uint16_t>(used_ - piece.at);
  return piece;
}

void ExplainRecord::put(Text which, Bytes text) {
  const auto place = static_cast<std::size_t>(which);
  texts_[place] = add(text, bytes_max[place]);
}

void ExplainRecord::put(const AttemptNote& note, io::Instant since) {
  if (attempt_count_ == attempts_.size()) return;
  attempts_[attempt_count_++] = {
      .target = add(note.target != nullptr ? Bytes(note.target->name) : Bytes(), target_bytes_max),
      .text = add(note.text, attempt_text_bytes_max),
      .began_us = to_us(std::max(note.began - since, io::Duration(0))).count(),
      .connect_us = to_us(note.connect).count(),
      .tls_us = to_us(note.tls).count(),
      .head_us = to_us(note.head).count(),
      .status = static_cast<std::int16_t>(note.status),
      .reason = note.reason,
      .again = note.again,
      .reused = note.reused,
  };
}

model::Explained ExplainRecord::to_model() const {
  const auto text = [this](Text which) { return std::string(get(which)); };
  model::Explained out;
  out.kind = kind;
  out.id = text(Text::Id);
  out.at = at;
  out.listener = text(Text::Listener);
  out.client = text(Text::Client);
  out.proxy = text(Text::Proxy);
  out.protocol = text(Text::Protocol);
  out.method = text(Text::Method);
  out.host = text(Text::Host);
  out.path = text(Text::Path);
  out.query = text(Text::Query);
  out.rewritten = text(Text::Rewritten);
  out.user = text(Text::User);
  out.rule = text(Text::Rule);
  out.group = text(Text::Group);
  out.sni = text(Text::Sni);
  out.status = status;
  if (call_status.has_value()) out.grpc_status = grpc::to_string(*call_status);
  out.reason = to_string(cause);
  out.happened = happened(cause);
  out.advice = advice(cause);
  out.detail = text(Text::Detail);
  out.defect = text(Text::Defect);
  if (defect != http::Defect::None) {
    out.defect = http::to_string(defect);
    out.defect_class = http::to_string(http::class_of(defect));
    out.defect_words = http::explain(defect);
    out.defect_at = defect_at;
  }
  out.bytes_in = bytes_in;
  out.bytes_out = bytes_out;
  out.slow = slow;
  out.took = to_us(took);
  out.queued = to_us(queued);
  out.body_took = to_us(body_took);
  out.answered = to_us(answered);
  for (std::size_t i = 0; i < attempt_count_; ++i) {
    const Attempt& each = attempts_[i];
    out.attempts.push_back({
        .target = std::string(view(each.target)),
        .reused = each.reused,
        .began = std::chrono::microseconds(each.began_us),
        .connect = std::chrono::microseconds(each.connect_us),
        .tls = std::chrono::microseconds(each.tls_us),
        .head = std::chrono::microseconds(each.head_us),
        .status = each.status,
        .reason = std::string(to_string(each.reason)),
        .text = std::string(view(each.text)),
        .next = std::string(to_string(each.again)),
        .next_words = std::string(explain(each.again)),
    });
  }
  return out;
}

}  // namespace ballast::traffic

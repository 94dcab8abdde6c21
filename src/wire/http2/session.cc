#include "wire/http2/session.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "io/linger.h"
#include "wire/http/parse.h"
#include "wire/http2/native.h"

namespace ballast::http2 {

std::shared_ptr<Session> Session::make(Role role, io::Loop& loop, SessionOwner& owner, const SessionLimits& limits) {
  std::shared_ptr<Session> session(new Session(role, loop, owner, limits));
  return session->start() ? session : nullptr;
}

Session::Session(Role role, io::Loop& loop, SessionOwner& owner, const SessionLimits& limits)
    : role_(role),
      owner_(owner),
      limits_(limits),
      loop_(loop),
      memory_(loop, *this, limits.memory_rest),
      guard_(loop_.now()),
      walk_(role == Role::Server ? NGHTTP2_CLIENT_MAGIC_LEN : 0),
      rests_since_(loop_.now()),
      writer_(loop_) {}

Session::~Session() {
  for (Stream* stream = streams_; stream != nullptr; stream = stream->next_) stream->session_ = nullptr;
  nghttp2_session_del(native_);
}

bool Session::start() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return false;
  if (nghttp2_option_new(&options) != 0) {
    nghttp2_session_callbacks_del(callbacks);
    return false;
  }
  set_callbacks(callbacks);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_peer_max_concurrent_streams(options, 100);
  // FloodGuard judges resets, by the work that goes with them.
  nghttp2_option_set_stream_reset_rate_limit(options, std::uint64_t{1} << 32U, std::uint64_t{1} << 20U);
  nghttp2_mem memory{&memory_, RestMemory::allocate, RestMemory::release, RestMemory::allocate_zeros,
                     RestMemory::reallocate};
  const int failure = role_ == Role::Server ? nghttp2_session_server_new3(&native_, callbacks, this, options, &memory)
                                            : nghttp2_session_client_new3(&native_, callbacks, this, options, &memory);
  memory_.made();
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  if (failure != 0) return false;

  std::vector<nghttp2_settings_entry> settings{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.head_bytes)},
  };
  if (role_ == Role::Server) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams});
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  return nghttp2_submit_settings(native_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0 &&
         nghttp2_session_set_local_window_size(native_, NGHTTP2_FLAG_NONE, 0,
                                               static_cast<std::int32_t>(limits_.window)) == 0;
}

void Session::add(Stream& stream) {
  stream.next_ = streams_;
  if (streams_ != nullptr) streams_->previous_ = &stream;
  streams_ = &stream;
}

void Session::remove(Stream& stream) {
  (stream.previous_ != nullptr ? stream.previous_->next_ : streams_) = stream.next_;
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
}

int Session::spend(std::int64_t cost) {
  if (guard_.spend(cost, loop_.now())) return 0;
  fail(SessionDefect::Flood, NGHTTP2_ENHANCE_YOUR_CALM);
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

void Session::fail(SessionDefect defect, std::uint32_t error_code) {
  if (defect_ != SessionDefect::None) return;
  defect_ = defect;
  error_code_ = error_code;
  nghttp2_session_terminate_session(native_, error_code);
}

std::string_view Session::error_name() const {
  return nghttp2_http2_strerror(error_code_);
}

void Session::note_goaway(std::uint32_t error_code, std::string_view text) {
  if (error_code != NGHTTP2_NO_ERROR) error_text_ = text.substr(0, error_text_max);
  if (defect_ != SessionDefect::None) return;
  error_code_ = error_code;
  switch (error_code) {
    case NGHTTP2_NO_ERROR:
      break;
    case NGHTTP2_FLOW_CONTROL_ERROR:
      defect_ = SessionDefect::FlowControl;
      break;
    case NGHTTP2_COMPRESSION_ERROR:
      defect_ = SessionDefect::Compression;
      break;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      defect_ = SessionDefect::Flood;
      break;
    default:
      defect_ = SessionDefect::Protocol;
      break;
  }
}

std::string Session::websocket_key() {
  // A nonce of 16 bytes in base64: it keeps caches on the way from answering, and no secret hangs on it (RFC
  // 6455 10.3).
  constexpr Bytes alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto state = static_cast<std::uint64_t>(loop_.fresh_now().time_since_epoch().count());
  std::string key(21, 'A');
  for (char& digit : key) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    digit = alphabet[state >> 58U];
  }
  return key + "A==";
}

bool Session::take(Bytes bytes) {
  heard_ = true;
  const ssize_t taken =
      nghttp2_session_mem_recv(native_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  idle_frames_ += static_cast<std::int64_t>(walk_.count(bytes));
  settle_left();
  if (stream_count_ == 0) memory_.touched();
  if (taken >= 0 && idle_frames_ > 0) return spend(std::exchange(idle_frames_, 0) * FloodGuard::frame_cost) == 0;
  if (taken < 0) {
    const bool flooded = taken == NGHTTP2_ERR_FLOODED || taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    fail(flooded ? SessionDefect::Flood : SessionDefect::Protocol,
         flooded ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
  }
  return taken >= 0;
}

void Session::settle_left() {
  for (Left& left : std::exchange(left_, {})) left.stream->left_wire(left.error_code);
}

void Session::serve_arrived() {
  for (const std::shared_ptr<Stream>& stream : std::exchange(arrived_, {})) {
    if (defect_ == SessionDefect::None && !stream->is_lost()) owner_.on_request(stream);
  }
}

void Session::flush_soon() {
  if (std::exchange(flush_wanted_, true)) return;
  loop_.at_round_end([self = shared_from_this()] {
    self->flush_wanted_ = false;
    self->flush();
  });
}

bool Session::fill() {
  while (out_.size() < out_bytes_max) {
    const std::uint8_t* frames = nullptr;
    const ssize_t size = nghttp2_session_mem_send(native_, &frames);
    if (size <= 0) break;
    out_.append({reinterpret_cast<const char*>(frames), static_cast<std::size_t>(size)});
  }
  settle_left();
  return !out_.empty();
}

void Session::flush() {
  if (transport_ == nullptr || gone_ || !writer_.empty()) return;
  while (fill()) {
    const io::Transfer put = transport_->try_write(out_.view());
    if (put.state == io::TransferState::Done) {
      out_.consume(put.count);
      continue;
    }
    if (put.state == io::TransferState::WouldBlock) {
      writer_.spawn(write_out());
    } else {
      cut(put.code);
    }
    return;
  }
  out_.release();
  if (!has_work()) nudge();
}

io::Task<void> Session::write_out() {
  while (fill()) {
    const io::Transfer put = transport_->try_write(out_.view());
    if (put.state == io::TransferState::Done) {
      out_.consume(put.count);
      continue;
    }
    if (put.state != io::TransferState::WouldBlock) co_return cut(put.code);
    const io::Wake wake = co_await transport_->until_writable(loop_.after(limits_.sink_idle));
    if (wake == io::Wake::Cancelled) co_return;
    if (wake == io::Wake::Deadline) co_return cut(Code::TimedOut);
  }
  out_.release();
  rests_since_ = loop_.now();
  if (!has_work()) nudge();
}

void Session::nudge() {
  if (runner_ == nullptr) return;
  nudged_ = true;
  runner_->interrupt();
}

void Session::cut(Code code) {
  gone_ = true;
  lose_streams(code);
  nudge();
}

void Session::lose_streams(Code code) {
  // Held while they are told: the last holder may let go.
  std::vector<std::shared_ptr<Stream>> all;
  for (Stream* stream = streams_; stream != nullptr; stream = stream->next_) all.push_back(stream->shared_from_this());
  for (const std::shared_ptr<Stream>& stream : all) {
    const std::shared_ptr<Stream> hold = std::move(stream->self_);
    if (hold != nullptr) stream->lose(code);
  }
}

bool Session::has_work() const {
  return nghttp2_session_want_read(native_) != 0 || nghttp2_session_want_write(native_) != 0 || !out_.empty();
}

bool Session::rests() const {
  return stream_count_ == 0 && writer_.empty();
}

bool Session::is_at_rest() const {
  return rests() && out_.empty() && nghttp2_session_want_write(native_) == 0;
}

io::Deadline Session::next_deadline() {
  if (head_open_) return io::Deadline::at(head_began_ + limits_.header);
  if (draining_ && !refusing_) return io::Deadline::at(drain_began_ + drain_round_trip_max);
  const io::Duration rest_max = owner_.rest_max();
  if (rests()) return io::Deadline::at(rests_since_ + rest_max);
  // It may have come to rest when this has passed.
  return loop_.after(std::max<io::Duration>(rest_max, std::chrono::seconds(1)));
}

bool Session::take_deadline() {
  const io::Instant now = loop_.now();
  if (head_open_) {
    if (now >= head_began_ + limits_.header) fail(SessionDefect::SlowHead, NGHTTP2_ENHANCE_YOUR_CALM);
  } else if (draining_ && !refusing_) {
    if (now >= drain_began_ + drain_round_trip_max) refuse_new();
  } else if (rests() && now >= rests_since_ + owner_.rest_max()) {
    nghttp2_session_terminate_session(native_, NGHTTP2_NO_ERROR);
    return false;
  }
  return defect_ == SessionDefect::None && has_work();
}

io::Task<void> Session::run(io::Stream& transport, Bytes received) {
  runner_ = &co_await io::this_strand();
  transport_ = &transport;
  bool alive = received.empty() || take(received);
  serve_arrived();
  flush();
  std::size_t turn_bytes = 0;
  while (alive && !gone_ && defect_ == SessionDefect::None && has_work()) {
    if (turn_bytes >= turn_bytes_max) {
      turn_bytes = 0;
      co_await io::Sleep(loop_.after(std::chrono::nanoseconds(1)));
      continue;
    }
    const auto buffer = loop_.receive_buffer();
    const io::Transfer got =
        transport_->may_read() ? transport_->try_read(buffer.data(), buffer.size()) : io::Transfer{};
    if (got.state == io::TransferState::Done) {
      turn_bytes += got.count;
      alive = take({buffer.data(), got.count});
      serve_arrived();
      flush_soon();
      continue;
    }
    if (got.state != io::TransferState::WouldBlock) break;
    turn_bytes = 0;
    const io::Wake wake = co_await transport_->until_readable(next_deadline());
    // Without a nudge it is our end, or the kernel's refusal to watch one more connection.
    if (wake == io::Wake::Cancelled && (runner_->cancelled() || !std::exchange(nudged_, false))) break;
    if (wake == io::Wake::Deadline && !take_deadline()) break;
  }
  flush();
  // What is said last has its time, which the writer measures where a peer has done no wrong.
  if (!gone_ && !writer_.empty()) {
    co_await writer_.closed(defect_ == SessionDefect::None ? io::Deadline::never() : loop_.after(last_words_max));
  }
  runner_ = nullptr;
  const bool in_order = !gone_ && writer_.empty();
  gone_ = true;
  co_await writer_.close();
  lose_streams(Code::Closed);
  if (in_order) {
    co_await io::close_lingering(transport);
  } else {
    transport_->reset();
  }
}

void Session::drain() {
  if (std::exchange(draining_, true)) return;
  drain_began_ = loop_.now();
  // What the peer has sent before it learns of this is still served (RFC 9113 6.8): the answer to the PING tells when.
  nghttp2_submit_shutdown_notice(native_);
  nghttp2_submit_ping(native_, NGHTTP2_FLAG_NONE, nullptr);
  flush_soon();
  nudge();
}

void Session::abandon(Code code) {
  for (Stream* stream = streams_; stream != nullptr; stream = stream->next_) stream->refused_ = true;
  cut(code);
}

void Session::refuse_new() {
  if (std::exchange(refusing_, true)) return;
  nghttp2_submit_goaway(native_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(native_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  flush_soon();
}

bool Session::may_request() const {
  return !gone_ && !peer_leaves_ && defect_ == SessionDefect::None &&
         nghttp2_session_check_request_allowed(native_) != 0 &&
         stream_count_ < nghttp2_session_get_remote_settings(native_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

std::shared_ptr<Stream> Session::request(const http::OutgoingRequest& head, Bytes scheme,
                                         std::optional<std::uint64_t> length, Stream::BodyFollows body_follows) {
  if (!may_request()) return nullptr;
  auto stream = std::make_shared<Stream>(*this, limits_.head_bytes);
  NativeHead native(head.lines);
  native.field(":method", head.method);
  native.field(":scheme", scheme);
  native.field(":path", head.target);
  // The lines begin with Host, which is the authority here.
  CHECK(!head.lines.empty() && head.lines.front().name == "Host");
  native.field(":authority", head.lines.front().value);
  native.add(head.lines.subspan(1));
  if (length.has_value()) native.length(*length);
  const bool ends = body_follows == Stream::BodyFollows::No;
  const nghttp2_data_provider provider = data_provider(*stream);
  const std::int32_t id =
      nghttp2_submit_request(native_, nullptr, native.data(), native.size(), ends ? nullptr : &provider, stream.get());
  if (id < 0) return nullptr;
  stream->id_ = id;
  stream->self_ = stream;
  stream->end_wanted_ = ends;
  ++stream_count_;
  flush_soon();
  return stream;
}

}  // namespace ballast::http2

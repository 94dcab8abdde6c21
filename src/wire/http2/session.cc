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

std::string_view to_string(SessionDefect defect) {
  switch (defect) {
    case SessionDefect::None:
      return "none";
    case SessionDefect::Protocol:
      return "protocol_error";
    case SessionDefect::FlowControl:
      return "flow_control_error";
    case SessionDefect::Compression:
      return "compression_error";
    case SessionDefect::Flood:
      return "flood";
    case SessionDefect::SlowHead:
      return "slow_head";
  }
  return "unknown";
}

// nghttp2's callbacks. They only note what has come: nothing of ours runs inside nghttp2's own work.
struct Callbacks {
  // Smaller pieces of data cost more than they bring.
  static constexpr std::size_t honest_bytes = 512;

  static Session& session_of(void* user) { return *static_cast<Session*>(user); }
  static Stream* stream_of(nghttp2_session* native, std::int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(native, id));
  }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    Session& session = session_of(user);
    if (head->type != NGHTTP2_CONTINUATION) session.head_open_ = false;
    // nghttp2 does not look into priorities that nobody goes by (RFC 9113 6.3).
    if (head->type != NGHTTP2_PRIORITY || head->stream_id != 0) return 0;
    session.fail(SessionDefect::Protocol, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_begin_headers(nghttp2_session* native, const nghttp2_frame* frame, void* user) {
    Session& session = session_of(user);
    session.head_open_ = true;
    session.head_began_ = session.loop_.now();
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    Stream* stream = stream_of(native, frame->hd.stream_id);
    if (stream == nullptr) {
      if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
      auto opened = std::make_shared<Stream>(session, session.limits_.head_bytes);
      opened->id_ = frame->hd.stream_id;
      opened->self_ = opened;
      opened->request_ = std::make_unique<RequestText>(opened->head_bytes_max_);
      ++session.stream_count_;
      nghttp2_session_set_stream_user_data(native, opened->id_, opened.get());
      return 0;
    }
    // A head that follows a final one is a trailer.
    const bool trails =
        frame->headers.cat == NGHTTP2_HCAT_HEADERS && (session.role_ == Session::Role::Server || stream->final_);
    if (trails) {
      stream->in_trailers_ = std::make_unique<TrailerText>(stream->head_bytes_max_);
    } else {
      stream->response_ = std::make_unique<ResponseText>(stream->head_bytes_max_);
    }
    return 0;
  }

  static int on_header(nghttp2_session* native, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t, void*) {
    Stream* stream = frame->hd.type == NGHTTP2_HEADERS ? stream_of(native, frame->hd.stream_id) : nullptr;
    if (stream == nullptr) return 0;
    const Bytes name_bytes(reinterpret_cast<const char*>(name), name_size);
    const Bytes value_bytes(reinterpret_cast<const char*>(value), value_size);
    if (stream->request_ != nullptr) {
      stream->request_->field(name_bytes, value_bytes);
    } else if (stream->response_ != nullptr) {
      stream->response_->field(name_bytes, value_bytes);
    } else if (stream->in_trailers_ != nullptr) {
      stream->in_trailers_->field(name_bytes, value_bytes);
    }
    return 0;
  }

  static int on_frame_recv(nghttp2_session* native, const nghttp2_frame* frame, void* user) {
    Session& session = session_of(user);
    Stream* stream = stream_of(native, frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        session.head_open_ = false;
        --session.idle_frames_;
        if (stream != nullptr) take_head(session, *stream);
        break;
      case NGHTTP2_DATA:
        // Not where it is empty, or of padding alone.
        if (frame->hd.length != frame->data.padlen || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          --session.idle_frames_;
        }
        break;
      case NGHTTP2_RST_STREAM:
        return session.spend(FloodGuard::reset_cost);
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && session.draining_) session.refuse_new();
        break;
      case NGHTTP2_GOAWAY:
        session.peer_leaves_ = true;
        break;
      default:
        break;
    }
    const bool may_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (stream != nullptr && may_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      stream->in_ended_ = true;
      stream->ready_.set_readable();
    }
    return 0;
  }

  static void take_head(Session& session, Stream& stream) {
    if (stream.request_ != nullptr) {
      const std::unique_ptr<RequestText> text = std::move(stream.request_);
      stream.upgrade_ = text->is_upgrade();
      stream.head_defect_ = text->write(stream.head_, stream.upgrade_ ? session.websocket_key() : std::string());
      stream.head_done_ = true;
      session.arrived_.push_back(stream.shared_from_this());
    } else if (stream.response_ != nullptr) {
      const std::unique_ptr<ResponseText> text = std::move(stream.response_);
      stream.head_defect_ = text->write(stream.head_);
      stream.final_ = text->is_final();
      stream.head_done_ = true;
      stream.ready_.set_readable();
    } else {
      stream.ready_.set_readable();
    }
  }

  static int on_data(nghttp2_session* native, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                     void* user) {
    Session& session = session_of(user);
    if (size >= honest_bytes) session.guard_.earn_by_data();
    Stream* stream = stream_of(native, id);
    if (stream == nullptr || stream->discarding_) {
      nghttp2_session_consume(native, id, size);
      return 0;
    }
    stream->in_.append({reinterpret_cast<const char*>(data), size});  // bounded by the window
    stream->ready_.set_readable();
    return 0;
  }

  static int on_stream_close(nghttp2_session* native, std::int32_t id, std::uint32_t error_code, void* user) {
    Session& session = session_of(user);
    Stream* stream = stream_of(native, id);
    if (stream == nullptr) return 0;
    nghttp2_session_set_stream_user_data(native, id, nullptr);
    --session.stream_count_;
    if (session.stream_count_ == 0) session.rests_since_ = session.loop_.now();
    if (error_code == NGHTTP2_NO_ERROR) session.guard_.earn_by_request();
    session.left_.push_back(Session::Left{stream->shared_from_this(), error_code});
    return 0;
  }

  static int on_frame_send(nghttp2_session* native, const nghttp2_frame* frame, void* user) {
    Session& session = session_of(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) return session.note_goaway(frame->goaway.error_code), 0;
    // A peer that makes us reset its streams saves itself the frame (CVE-2025-8671).
    if (frame->hd.type == NGHTTP2_RST_STREAM && !is_ours(frame->rst_stream.error_code)) {
      session.spend(FloodGuard::reset_cost);
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if (frame->hd.type == NGHTTP2_DATA && frame->hd.length >= honest_bytes) session.guard_.earn_by_data();
    Stream* stream = stream_of(native, frame->hd.stream_id);
    if (stream == nullptr || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    stream->out_ended_ = true;
    stream->ready_.set_writable();
    if (stream->discarding_ && !stream->in_ended_) stream->cut_wire(NGHTTP2_NO_ERROR);
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    Session& session = session_of(user);
    if (frame->hd.type == NGHTTP2_HEADERS) session.head_open_ = false;  // it will not be told as received
    return session.spend(FloodGuard::reset_cost);
  }

  // Codes of resets that come from what we do; all others answer a violation.
  static bool is_ours(std::uint32_t error_code) {
    return error_code == NGHTTP2_NO_ERROR || error_code == NGHTTP2_INTERNAL_ERROR || error_code == NGHTTP2_CANCEL ||
           error_code == NGHTTP2_REFUSED_STREAM;
  }

  static ssize_t read_data(nghttp2_session* native, std::int32_t id, std::uint8_t*, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    if (stream.out_.empty() && !stream.end_wanted_) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    const std::size_t count = std::min(size, stream.out_.size());
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (count == stream.out_.size() && stream.end_wanted_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream.out_trailers_.empty() && submit_trailers(native, id, stream.out_trailers_.view())) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      }
    }
    return static_cast<ssize_t>(count);
  }

  static bool submit_trailers(nghttp2_session* native, std::int32_t id, Bytes lines) {
    std::vector<http::FieldLine> fields;
    while (!lines.empty()) {
      const std::size_t colon = lines.find(": ");
      const std::size_t end = lines.find("\r\n");
      if (colon == Bytes::npos || end == Bytes::npos || colon > end) return false;
      fields.push_back({lines.substr(0, colon), lines.substr(colon + 2, end - colon - 2)});
      lines.remove_prefix(end + 2);
    }
    NativeHead head(fields);
    head.add(fields);
    return nghttp2_submit_trailer(native, id, head.data(), head.size()) == 0;
  }

  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* frame_head, std::size_t size,
                       nghttp2_data_source* source, void* user) {
    constexpr std::size_t frame_head_bytes = 9;
    Session& session = session_of(user);
    Stream& stream = *static_cast<Stream*>(source->ptr);
    if (session.out_.size() + frame_head_bytes + size > Session::out_bytes_max) return NGHTTP2_ERR_WOULDBLOCK;
    CHECK(frame->data.padlen == 0);  // nothing here asks for padding
    session.out_.append({reinterpret_cast<const char*>(frame_head), frame_head_bytes});
    session.out_.append(stream.out_.view().substr(0, size));
    stream.out_.consume(size);
    session.queued_bytes_ -= size;
    if (stream.out_.empty()) stream.out_.release();
    stream.ready_.set_writable();
    return 0;
  }
};

nghttp2_data_provider data_provider(Stream& stream) {
  return {.source = {.ptr = &stream}, .read_callback = Callbacks::read_data};
}

std::shared_ptr<Session> Session::make(Role role, io::Loop& loop, SessionOwner& owner, const SessionLimits& limits) {
  std::shared_ptr<Session> session(new Session(role, loop, owner, limits));
  return session->start() ? session : nullptr;
}

Session::Session(Role role, io::Loop& loop, SessionOwner& owner, const SessionLimits& limits)
    : role_(role),
      owner_(owner),
      limits_(limits),
      loop_(loop),
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
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Callbacks::on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
  // nghttp2 would overlook a field that it finds invalid; the judge of the head is to see it (RFC 9113 8.2.1).
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame_recv);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_stream_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::on_frame_send);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, Callbacks::on_invalid_frame);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::send_data);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_peer_max_concurrent_streams(options, 100);
  // FloodGuard judges resets, by the work that goes with them.
  nghttp2_option_set_stream_reset_rate_limit(options, std::uint64_t{1} << 32U, std::uint64_t{1} << 20U);
  const int failure = role_ == Role::Server ? nghttp2_session_server_new2(&native_, callbacks, this, options)
                                            : nghttp2_session_client_new2(&native_, callbacks, this, options);
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
  nghttp2_session_terminate_session(native_, error_code);
}

void Session::note_goaway(std::uint32_t error_code) {
  if (defect_ != SessionDefect::None) return;
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
  const ssize_t taken =
      nghttp2_session_mem_recv(native_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  idle_frames_ += static_cast<std::int64_t>(walk_.count(bytes));
  settle_left();
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

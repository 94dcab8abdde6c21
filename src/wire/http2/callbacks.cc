// What a Session is told by nghttp2, and asked for.
#include <algorithm>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "wire/http2/native.h"
#include "wire/http2/session.h"

namespace ballast::http2 {

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
        // A target that resets what it was asked has been asked: it costs it as much as us.
        return session.role_ == Session::Role::Client ? 0 : session.spend(FloodGuard::reset_cost);
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
    if (session.stream_count_ == 0) {
      session.rests_since_ = session.loop_.now();
      session.memory_.touched();
    }
    if (error_code == NGHTTP2_NO_ERROR) session.guard_.earn_by_request();
    session.left_.push_back(Session::Left{stream->shared_from_this(), error_code});
    return 0;
  }

  static int on_frame_send(nghttp2_session* native, const nghttp2_frame* frame, void* user) {
    Session& session = session_of(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      const nghttp2_goaway& sent = frame->goaway;
      const std::string_view text(reinterpret_cast<const char*>(sent.opaque_data), sent.opaque_data_len);
      return session.note_goaway(sent.error_code, text), 0;
    }
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

void set_callbacks(nghttp2_session_callbacks* callbacks) {
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
}

}  // namespace ballast::http2

// The answer with a file: what StaticFiles made of the request, sent.
#include "io/system.h"
#include "traffic/files/static_files.h"
#include "traffic/l7/compress.h"
#include "traffic/l7/exchange.h"
#include "wire/http/bytes_body.h"

namespace ballast::traffic {

io::Task<After> Exchange::answer_files(const StaticFiles& files) {
  ExchangeState& state = *state_;
  const http::RequestHead& head = state.request;
  const FileRequest request{
      .method = head.method(),
      .path = head.path(),
      .query = head.query(),
      .has_query = head.has_query(),
      .fields = &head.fields,
      .now_ns = std::chrono::nanoseconds(io::now_wall().time_since_epoch()).count(),
      .random = worker_.random(),
      .roots = &worker_.roots(),
  };
  const FileAnswer answer = files.answer(request, loop_);
  if (!answer.is_page) co_return co_await refuse(answer.reason, StaticFiles::methods);

  state.facts.reason = answer.reason;
  state.facts.status = answer.status;
  state.lines.clear();
  for (const FileAnswer::Line& line : answer.lines) state.lines.push_back({line.name, line.value});
  const config::Listener& listener = *listener_->settings;
  if (!listener.server_header.empty()) state.lines.push_back({"Server", listener.server_header});
  name_reason();
  // A body that is not read leaves the connection in the middle of a message.
  const bool stays = (state.body == nullptr || state.body->ended()) && client_.may_stay(state);
  const bool bodiless = answer.status == 204 || answer.status == 304;
  http::OutgoingFraming framing{.framing = bodiless ? http::Framing::None : http::Framing::Length,
                                .length = answer.length,
                                .use = stays ? http::ConnectionUse::KeepAlive : http::ConnectionUse::Close,
                                .peer_minor_version = head.minor_version};
  const http::RelayLimits limits{.source_idle = listener.timeouts.idle, .sink_idle = listener.timeouts.idle};
  http::BytesBody text(answer.text);
  http::Body& plain = answer.file != nullptr ? static_cast<http::Body&>(*answer.file) : text;
  answers();
  decorate();
  ResponseCompression compression(worker_);
  http::Body& body = compression.apply(listener.compression, head, {.status = answer.status, .length = answer.length},
                                       state.lines, framing, plain);
  const http::RelayResult sent =
      co_await client_.respond(state, http::OutgoingResponse{answer.status, {}, state.lines}, framing, body, limits);
  state.facts.bytes_out = sent.body_bytes;
  switch (sent.end) {
    case http::RelayEnd::Done:
      co_return stays ? After::KeepAlive : After::Linger;
    case http::RelayEnd::SourceFailed:
      state.facts.reason = Reason::BodyCut;
      break;
    case http::RelayEnd::Cancelled:
      state.facts.reason = client_.was_cut() ? Reason::ClientGone : Reason::Stopped;
      break;
    default:
      state.facts.reason = Reason::ClientGone;
      break;
  }
  co_return After::Reset;
}

}  // namespace ballast::traffic

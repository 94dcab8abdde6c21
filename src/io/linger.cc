#include "io/linger.h"

#include "io/loop.h"

namespace ballast::io {

Task<void> close_lingering(Stream& stream) {
  constexpr auto patience = std::chrono::seconds(1);
  constexpr std::size_t bytes_max = 256 * kib;
  Loop& loop = stream.loop();
  const Deadline deadline = loop.after(patience);
  while (!stream.end() && co_await stream.until_writable(deadline) == Wake::Event) {
  }
  std::size_t read_away = 0;
  while (read_away < bytes_max) {
    const auto buffer = loop.receive_buffer();
    const Transfer got = stream.try_read(buffer.data(), buffer.size());
    if (got.state == TransferState::Done) {
      read_away += got.count;
      continue;
    }
    if (got.state != TransferState::WouldBlock) break;
    if (co_await stream.until_readable(deadline) != Wake::Event) break;
  }
  stream.close();
}

Task<void> close_when_sent(Stream& stream, Duration patience) {
  const Deadline deadline = stream.loop().after(patience);
  while (!stream.may_close() && co_await stream.until_writable(deadline) == Wake::Event) {
  }
  stream.close();
}

}  // namespace ballast::io

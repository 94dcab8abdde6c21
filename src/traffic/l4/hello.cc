#include "traffic/l4/hello.h"

#include "io/loop.h"

namespace ballast::traffic {

void refuse_client(io::Stream& client, tls::Alert alert) {
  Buffer out;
  tls::write_alert(out, alert);
  client.try_write(out.view());  // one that does not take seven bytes is not waited for
  client.close();
}

io::Task<HelloRead> read_hello(io::Stream& client, Buffer& bytes, tls::ClientHelloReader& reader,
                               io::Deadline deadline) {
  using Progress = tls::ClientHelloReader::Progress;
  io::Loop& loop = client.descriptor().loop();
  Progress progress = reader.feed(bytes.view());
  while (progress == Progress::NeedMore) {
    const auto buffer = loop.receive_buffer();
    const io::Transfer got = client.may_read() ? client.try_read(buffer.data(), buffer.size()) : io::Transfer{};
    if (got.state == io::TransferState::Done) {
      bytes.append({buffer.data(), got.count});
      progress = reader.feed({buffer.data(), got.count});
      continue;
    }
    if (got.state != io::TransferState::WouldBlock) {
      co_return HelloRead{.reason = bytes.empty() ? Reason::None : Reason::ClientGone};
    }
    const io::Wake wake = co_await client.until_readable(deadline);
    if (wake == io::Wake::Event) continue;
    co_return HelloRead{.reason = wake == io::Wake::Deadline ? Reason::HelloTimeout : Reason::None};
  }
  if (progress == Progress::Complete) co_return HelloRead{.is_there = true};
  if (reader.defect() == tls::HelloDefect::NotTls) co_return HelloRead{.reason = Reason::NotTls};
  refuse_client(client, tls::Alert::DecodeError);
  co_return HelloRead{.reason = Reason::HelloMalformed};
}

}  // namespace ballast::traffic

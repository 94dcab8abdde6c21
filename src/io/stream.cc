#include "io/stream.h"

namespace ballast::io {

Error error_of(Wake wake) {
  return Error(wake == Wake::Deadline ? Code::TimedOut : Code::Cancelled);
}

Task<Result<std::size_t>> Stream::read(char* into, std::size_t size, Deadline deadline) {
  while (true) {
    const Transfer got = try_read(into, size);
    switch (got.state) {
      case TransferState::Done:
        co_return got.count;
      case TransferState::End:
        co_return std::size_t{0};
      case TransferState::Failed:
        co_return fail(got.code);
      case TransferState::WouldBlock:
        break;
    }
    if (const Wake wake = co_await until_readable(deadline); wake != Wake::Event) co_return fail(error_of(wake));
  }
}

Task<Result<>> Stream::write(Bytes bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const Transfer put = try_write(bytes);
    switch (put.state) {
      case TransferState::Done:
        bytes.remove_prefix(put.count);
        continue;
      case TransferState::End:
      case TransferState::Failed:
        co_return fail(put.code);
      case TransferState::WouldBlock:
        break;
    }
    if (const Wake wake = co_await until_writable(deadline); wake != Wake::Event) co_return fail(error_of(wake));
  }
  co_return Result<>();
}

}  // namespace ballast::io

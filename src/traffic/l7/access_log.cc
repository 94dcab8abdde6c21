#include "traffic/l7/access_log.h"

#include <utility>

#include <fmt/format.h>

#include "io/loop.h"

namespace ballast::traffic {

Result<std::unique_ptr<AccessLog>> AccessLog::make(const config::AccessLog& settings) {
  std::unique_ptr<AccessLog> log(new AccessLog(settings));
  if (!log->on_) return log;
  Result<io::AppendFile> file =
      settings.path == "stdout" ? io::AppendFile::standard_output() : io::AppendFile::open(settings.path);
  if (!file) return fail(std::move(file.error()).within("access_log.path"));
  log->file_ = std::move(*file);
  log->thread_ = io::Thread("access-log", [raw = log.get()] { raw->run(); });
  return log;
}

AccessLog::AccessLog(const config::AccessLog& settings) : on_(!settings.path.empty()), format_(settings.format) {}

AccessLog::~AccessLog() {
  if (!on_) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
}

void AccessLog::take(Buffer batch) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_bytes_ + batch.size() > waiting_bytes_max) {
      dropped_.fetch_add(batch.size());
      return;
    }
    waiting_bytes_ += batch.size();
    waiting_.push_back(std::move(batch));
  }
  changed_.notify_one();
}

void AccessLog::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  changed_.notify_one();
}

void AccessLog::run() {
  while (true) {
    std::vector<Buffer> batches;
    bool reopen = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || reopen_ || !waiting_.empty(); });
      if (waiting_.empty() && !reopen_) return;
      reopen = std::exchange(reopen_, false);
      batches.swap(waiting_);
      waiting_bytes_ = 0;
    }
    // A file that cannot be opened anew is written on under its old name: no line is lost to a typing error in a
    // rotation.
    if (reopen) [[maybe_unused]]
      const Result<> opened = file_.reopen();
    for (const Buffer& batch : batches) {
      if (!file_.append(batch.view())) dropped_.fetch_add(batch.size());
    }
  }
}

void AccessLogBuffer::write(const AccessRecord& record) {
  if (log_->format() == config::AccessLogFormat::Json) {
    write_json_line(batch_, record);
  } else {
    write_combined_line(batch_, record);
  }
  if (batch_.size() >= batch_bytes) {
    hand_over();
  } else if (!is_armed()) {
    constexpr auto batch_time = std::chrono::milliseconds(500);
    loop_.timers().arm(*this, loop_.now() + batch_time);
  }
}

void AccessLogBuffer::hand_over() {
  disarm();
  if (!batch_.empty()) log_->take(std::exchange(batch_, {}));
}

}  // namespace ballast::traffic

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/control/probe_parts.h"
#include "wire/mysql/handshake.h"

namespace ballast::traffic {
namespace {

using model::TargetReason;
using mysql::Kind;

// The server is well and does not know the account: it has done all that a login takes.
bool is_about_account(std::uint16_t code) {
  constexpr std::array<std::uint16_t, 9> codes{
      1044,  // no right to the database
      1045,  // access denied
      1130,  // the host is not allowed
      1251,  // the client's authentication is too old
      1698,  // access denied, without a password
      1862,  // the password has expired
      3118,  // the account is locked
      3159,  // only over TLS
      4151,  // the account is locked (MariaDB)
  };
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// An error's text comes from the server: what is not text is not shown.
std::string printable(Bytes text) {
  constexpr std::size_t enough = 200;
  std::string shown(text.substr(0, enough));
  std::replace_if(shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return shown;
}

ProbeResult refused(const mysql::Packet& packet) {
  return probe_failed(TargetReason::ResponseCodeMismatch,
                      fmt::format("the server answers with error {}: {}", packet.code, printable(packet.text)));
}

class Conversation {
 public:
  Conversation(io::TcpStream& stream, const config::HealthCheck& check, io::Deadline deadline)
      : stream_(stream), check_(check), deadline_(deadline) {}

  io::Task<ProbeResult> run() {
    mysql::Packet packet = co_await next(mysql::Stage::Greeting);
    if (packet.kind == Kind::Error) co_return refused(packet);
    if (packet.kind != Kind::Greeting) co_return broken("the greeting");
    const std::string version(mysql::plain_version(packet.server_version));
    Buffer out;
    mysql::write_login(out, static_cast<std::uint8_t>(packet.sequence + 1), check_.user);
    // A server asks for another method once at most.
    for (int i = 0; i < 3; ++i) {
      if (const Result<> sent = co_await stream_.write(out.view(), deadline_); !sent) {
        co_return probe_failed(TargetReason::BadResponse, fmt::format("login: {}", sent.error().text()));
      }
      out.clear();
      packet = co_await next(mysql::Stage::Authentication);
      if (packet.kind == Kind::SwitchMethod || packet.kind == Kind::MoreData) {
        mysql::write_empty(out, static_cast<std::uint8_t>(packet.sequence + 1));
        continue;
      }
      if (packet.kind == Kind::Error && is_about_account(packet.code)) {
        co_return probe_passed(
            fmt::format("{} answers, and refuses the account \"{}\" (error {}): create it, without "
                        "a password and without rights, to keep the server's log quiet",
                        printable(version), check_.user, packet.code));
      }
      if (packet.kind == Kind::Error) co_return refused(packet);
      if (packet.kind != Kind::Ok) co_return broken("the answer to the login");
      mysql::write_quit(out);
      [[maybe_unused]] const Result<> left = co_await stream_.write(out.view(), deadline_);
      co_return probe_passed(fmt::format("{} lets \"{}\" in", printable(version), check_.user));
    }
    co_return probe_passed(
        fmt::format("{} answers, and asks \"{}\" for more than an empty password", printable(version), check_.user));
  }

 private:
  // NeedMore: none came, and code_ says why.
  io::Task<mysql::Packet> next(mysql::Stage stage) {
    received_.consume(consumed_);
    consumed_ = 0;
    while (true) {
      const mysql::Packet packet = mysql::parse(received_.view(), stage);
      if (packet.kind != Kind::NeedMore) {
        consumed_ = packet.kind == Kind::Malformed ? 0 : packet.size;
        code_ = Code::Malformed;
        co_return packet;
      }
      constexpr std::size_t piece = 1024;
      const Result<std::size_t> got = co_await stream_.read(received_.room(piece), piece, deadline_);
      if (!got || *got == 0) {
        code_ = got ? Code::Closed : got.error().code();
        co_return mysql::Packet{};
      }
      received_.commit(*got);
    }
  }

  ProbeResult broken(std::string_view what) const {
    if (code_ == Code::TimedOut) {
      return probe_failed(TargetReason::TimedOut,
                          fmt::format("{} did not come in {} ms", what, check_.timeout.count()));
    }
    return probe_failed(TargetReason::BadResponse, code_ == Code::Malformed
                                                       ? fmt::format("{} is not of the MySQL protocol", what)
                                                       : fmt::format("{}: {}", what, to_string(code_)));
  }

  io::TcpStream& stream_;
  const config::HealthCheck& check_;
  io::Deadline deadline_;
  Buffer received_;  // bounded by mysql::packet_bytes_max and one piece
  std::size_t consumed_ = 0;
  Code code_ = Code::Closed;
};

}  // namespace

io::Task<ProbeResult> probe_mysql(const config::HealthCheck& check, io::TcpStream& stream, io::Deadline deadline) {
  Conversation conversation(stream, check, deadline);
  co_return co_await conversation.run();
}

}  // namespace ballast::traffic

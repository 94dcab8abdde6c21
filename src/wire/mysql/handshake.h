// The beginning of a connection to MySQL or MariaDB, as far as a health check needs it: the greeting (protocol 10) or
// the error that stands in its place, an answer to it, and what the server says then.
//
// Pure: parse functions look at the beginning of what has come, and are asked again with more. Views lie in the bytes.
// Source: MariaDB Knowledge Base, "Connecting" and "0-packet"; MySQL Internals, "Connection Phase Packets".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"

namespace ballast::mysql {

enum class Kind : std::uint8_t {
  NeedMore,
  Greeting,      // server_version
  Error,         // code and text
  Ok,            // the account was let in
  SwitchMethod,  // the server wants another authentication: an empty answer follows
  MoreData,      // of an authentication that wants more than an empty password
  Malformed,
};

// Which packets may come.
enum class Stage : std::uint8_t { Greeting, Authentication };

struct Packet {
  Kind kind = Kind::NeedMore;
  std::uint8_t sequence = 0;
  Bytes server_version;    // "10.11.6-MariaDB"
  std::uint16_t code = 0;  // 1129: host is blocked
  Bytes text;
  std::size_t size = 0;  // on the wire
};

// No packet of this phase is longer; the longest known are error texts of some hundred bytes.
inline constexpr std::size_t packet_bytes_max = 4 * kib;

Packet parse(Bytes bytes, Stage stage);

// MariaDB calls itself "5.5.5-10.11.6-MariaDB" toward old replicas; people do not.
std::string_view plain_version(Bytes server_version);

// Logs in as `user` with an empty password, with no database.
void write_login(Buffer& out, std::uint8_t sequence, Bytes user);
void write_empty(Buffer& out, std::uint8_t sequence);
// COM_QUIT.
void write_quit(Buffer& out);

}  // namespace ballast::mysql

// ClientHelloReader: finds the name a TLS client asks for, without taking part in the handshake.
//
// Fed with the bytes of a connection from its first on, as they come: the hello may be split over TCP segments, over
// records, or both. It copies the handshake message out of its records and looks at nothing else of it than the server
// name and the application protocols. Strict where the grammar is (RFC 8446 4.1.2 and 5.1, RFC 6066 3, RFC 7301 3.1),
// blind to what it does not know (GREASE, RFC 8701). One that has failed stays failed. One connection's, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/bytes.h"

namespace ballast::tls {

// Views into the reader.
struct ClientHello {
  Bytes server_name;        // as sent, without a dot at its end; empty: none
  std::vector<Bytes> alpn;  // in the client's order; bounded by the message
};

enum class HelloDefect : std::uint8_t {
  None,
  NotTls,         // the first bytes are of no TLS handshake record
  NotHello,       // another handshake message, or another record in the middle of it
  BadRecord,      // an empty record, or one over 2^14 bytes
  TooLarge,       // over client_hello_bytes_max
  BadHello,       // lengths that do not fit one another
  BadExtension,   // of a wrong size, or there twice
  BadServerName,  // not one DNS name
  BadAlpn,        // an empty or overlong list or name
};
std::string_view to_string(HelloDefect defect);  // "bad_server_name"

// The hello of today's browsers, with a post-quantum key share and encrypted client hello, has 2 to 4 KiB.
inline constexpr std::size_t client_hello_bytes_max = 32 * kib;
// With its records' heads: more is a hello cut into records of a few bytes each, which nobody sends in good faith.
inline constexpr std::size_t client_hello_raw_bytes_max = 64 * kib;

class ClientHelloReader {
 public:
  enum class Progress : std::uint8_t { NeedMore, Complete, Failed };

  // `bytes` come behind those of the calls before. What stands behind a complete hello is not looked at.
  Progress feed(Bytes bytes);
  const ClientHello& hello() const { return hello_; }
  HelloDefect defect() const { return defect_; }

 private:
  Progress fail(HelloDefect defect);
  Progress take_message();
  HelloDefect read_message(Bytes body);

  Progress progress_ = Progress::NeedMore;
  HelloDefect defect_ = HelloDefect::None;
  ClientHello hello_;
  Buffer message_;  // bounded by client_hello_bytes_max
  std::size_t raw_bytes_ = 0;
  char record_head_[5] = {};
  std::size_t record_head_bytes_ = 0;
  std::size_t record_left_ = 0;  // bytes of the present record that have not come
};

// A fatal alert in a record of its own, for a client that is refused before any handshake (RFC 8446 6).
enum class Alert : std::uint8_t { DecodeError = 50, UnrecognizedName = 112 };
void write_alert(Buffer& out, Alert alert);

}  // namespace ballast::tls

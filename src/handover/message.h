// Message: what the keeper and a serving process say to each other, over a Channel.
//
// A flat JSON object, so that either side may be an older or a newer ballast: members that are not known are passed
// over, and a kind that is not known reads as Unknown and is passed over too. What is missing has its default.
//
//   from the serving process                         the keeper
//   open_socket {number, socket}                     answers socket_is {number} with the descriptor, or refused
//   {number} release_socket {socket}                          closes it where no other serving process has it ready it
//   serves: READY=1, and the one before it is told to drain reloading, stopping, status {text}               passed on
//   to the service manager state + memory file                              kept for the next serving process counts +
//   memory file                             passed on to the process that serves now upgrade as SIGUSR2
//
//   from the keeper                                  the serving process
//   hand_over                                        answers with its state
//   go_on                                            none follows: changes may be made again
//   drain                                            another one serves: accepts nothing more, and ends when it is done
//   event {event, subject, text}                     goes into its log of events
//   counts + memory file                             of one that has drained: added to its own
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "io/socket_source.h"

namespace ballast::handover {

enum class Kind : std::uint8_t {
  Unknown,
  OpenSocket,
  ReleaseSocket,
  Ready,
  Reloading,
  Stopping,
  Status,
  State,
  Counts,
  Upgrade,
  SocketIs,
  Refused,
  HandOver,
  GoOn,
  Drain,
  Event,
};
std::string_view to_string(Kind kind);  // "open_socket"

struct Message {
  Kind kind = Kind::Unknown;
  std::uint64_t number = 0;  // of a question and its answer
  io::SocketSpec socket;
  Code code = Code::System;  // of Refused
  std::string event;         // of one that has been said on standard error already, number is not 0
  std::string subject;
  std::string text;
};

std::string write(const Message& message);
// Malformed: no object with a kind. Never trusted further than its types: the other side may be a broken process.
Result<Message> read(Bytes text);

}  // namespace ballast::handover

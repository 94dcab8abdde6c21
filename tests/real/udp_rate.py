#!/usr/bin/env python3
"""Datagrams at a rate, and where those go that do not come back: what tests/real/udp.py starts as processes of their own.

    udp_rate.py echo                              answers every datagram with itself; says its port, and at the end how many
    udp_rate.py ask HOST:PORT FLOWS RATE SECONDS  sends RATE datagrams a second, whatever comes back, in turn from FLOWS sockets

Both print one line of JSON at the end. The asker sends what is due each time it looks, so a machine that is too busy to keep the
rate sends in bursts and still sends all of it. A datagram has 64 bytes: its number, when it was sent, and padding.
"""

import contextlib
import json
import select
import signal
import socket
import struct
import sys
import time

HEAD = struct.Struct("!Qd")
DATAGRAM_BYTES = 64
QUEUE_BYTES = 8 << 20
STRAGGLER_SECONDS = 1.0


def opened() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, 33, QUEUE_BYTES)  # SO_RCVBUFFORCE
    except PermissionError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
    return made


def echo() -> None:
    one = opened()
    one.bind(("127.0.0.1", 0))
    print(one.getsockname()[1], flush=True)
    count = 0

    def finish(*_: object) -> None:
        print(json.dumps({"received": count}), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, finish)
    while True:
        data, source = one.recvfrom(2048)
        count += 1
        with contextlib.suppress(ConnectionError, BlockingIOError):
            one.sendto(data, source)


def ask(address: str, flows: int, rate: int, seconds: float) -> None:
    host, _, port = address.rpartition(":")
    sockets = {}
    poll = select.epoll()
    for _ in range(flows):
        one = opened()
        one.connect((host, int(port)))
        one.setblocking(False)
        sockets[one.fileno()] = one
        poll.register(one, select.EPOLLIN)
    turns = list(sockets.values())
    padding = bytes(DATAGRAM_BYTES - HEAD.size)
    total = int(rate * seconds)
    sent = unsent = 0
    took: list[float] = []
    seen = bytearray(total)

    def take(patience: float) -> bool:
        ready = poll.poll(patience)
        for fd, _ in ready:
            with contextlib.suppress(BlockingIOError):
                while True:
                    number, at = HEAD.unpack_from(sockets[fd].recv(2048))
                    took.append(time.monotonic() - at)
                    seen[number] += 1
        return bool(ready)

    began = time.monotonic()
    while sent < total:
        now = time.monotonic()
        due = min(total, int((now - began) * rate) + 1)
        # A burst has an end, or answers would not be read while it lasts.
        for number in range(sent, min(due, sent + 64)):
            try:
                turns[number % flows].send(HEAD.pack(number, time.monotonic()) + padding)
            except (BlockingIOError, ConnectionError):
                unsent += 1
            sent += 1
        take(0 if sent < due else 0.0005)
    lasted = time.monotonic() - began
    while take(STRAGGLER_SECONDS):
        pass
    took.sort()
    print(json.dumps({
        "sent": sent - unsent, "answered": sum(map(bool, seen)), "doubled": sum(each > 1 for each in seen),
        "rate": sent / lasted, "p50_us": took[len(took) // 2] * 1e6 if took else 0,
        "p99_us": took[len(took) * 99 // 100] * 1e6 if took else 0}), flush=True)


def main() -> int:
    if sys.argv[1] == "echo":
        echo()
    else:
        ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

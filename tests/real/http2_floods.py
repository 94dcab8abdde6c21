"""Floods: what a client may send without end. Each is ended with ENHANCE_YOUR_CALM and counted, costs little processor
time and memory, and other clients do not notice."""

import asyncio
import contextlib
import dataclasses
import os
import pathlib
import struct
import time

from kit.client import Client
from kit.failure import Failure
from kit.http2 import (ACK, CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, PADDED, PING, PREFACE, PRIORITY, Http2Client,
                       block, data, frame, headers, request, rst_stream, settings, window_update)
from kit import text

SECONDS_MAX = 6.0      # of a flood that is not ended
LATENCY_MAX = 1.0      # of another client's request; the machine may be busy with other tests
MEMORY_MAX = 48 << 20  # growth of the whole program
BIG_STREAMS = 100


@dataclasses.dataclass
class Flood:
    name: str
    begin: bytes                 # once, behind the preface
    part: "callable"             # of how many parts were sent before: the next
    parts: int                   # how many at most may be taken before the end
    reads: bool = True
    defects: tuple[str, ...] = ("flood",)  # as one of which it is to be counted
    cpu_seconds: float = 1.0


def _streams(make, begin: int = 1):
    return lambda n: make(begin + 2 * n)


HOLD = request("GET", "/hold")
BODY = request("POST", "/hold")
OPENED = headers(1, BODY, END_HEADERS)
CLOSED = OPENED + rst_stream(1)
RESET = _streams(lambda stream: headers(stream, HOLD) + rst_stream(stream))
SHORT = request("POST", "/hold", ("content-length", "9"))
# Streams stay open until the resets of ours have gone out: on a busy machine the client is over its limit of streams
# before the flood is.
CODES = {"flood": "ENHANCE_YOUR_CALM", "protocol_error": "PROTOCOL_ERROR"}
EITHER = ("flood", "protocol_error")

FLOODS = [
    Flood("rapid reset", b"", RESET, 600),
    Flood("rapid reset, answers not read", b"", RESET, 600, reads=False),
    Flood("resets by a wrong length", b"", _streams(lambda stream: headers(stream, SHORT)), 600, defects=EITHER),
    Flood("resets by a wrong length of data", b"",
          _streams(lambda stream: headers(stream, SHORT, END_HEADERS) + data(stream, b"x", END_STREAM)), 600, defects=EITHER),
    Flood("resets by an empty increment", b"",
          _streams(lambda stream: headers(stream, BODY, END_HEADERS) + window_update(stream, 0)), 600, defects=EITHER),
    Flood("CONTINUATION", headers(1, request(), 0), lambda n: frame(CONTINUATION, 0, 1, b""), 20),
    Flood("CONTINUATION of full size", headers(1, request(), 0), lambda n: frame(CONTINUATION, 0, 1, block(("x", "y" * 9000))), 20),
    Flood("PING", b"", lambda n: frame(PING, 0, 0, b"12345678"), 3000),
    Flood("PING, answers not read", b"", lambda n: frame(PING, 0, 0, b"12345678"), 3000, reads=False),
    Flood("SETTINGS", b"", lambda n: settings((4, 1000 + n % 9)), 3000),
    Flood("SETTINGS, answers not read", b"", lambda n: settings((4, 1000 + n % 9)), 3000, reads=False),
    Flood("acknowledgements of nothing", b"", lambda n: frame(PING, ACK, 0, b"12345678"), 3000),
    Flood("PRIORITY", OPENED, lambda n: frame(PRIORITY, 0, 3 + 2 * (n % 1000), struct.pack(">IB", 1, n % 256)), 3000),
    Flood("WINDOW_UPDATE", b"", lambda n: window_update(0, 1), 3000),
    Flood("WINDOW_UPDATE of a stream", OPENED, lambda n: window_update(1, 1), 3000),
    Flood("empty DATA", OPENED, lambda n: data(1), 3000),
    Flood("DATA of padding alone", OPENED, lambda n: frame(0, PADDED, 1, b"\x03\0\0\0"), 3000),
    Flood("DATA behind a reset", CLOSED, lambda n: data(1), 3000),
    Flood("HEADERS behind a reset", CLOSED, lambda n: headers(1), 3000),
    Flood("frames of an unknown type", b"", lambda n: frame(0xBA, 0, 0, b"x"), 3000),
    Flood("GOAWAY", OPENED, lambda n: frame(GOAWAY, 0, 0, b"\0" * 8), 3000),
    # A byte for a byte: such a client costs more than it takes.
    Flood("a window that trickles", settings((4, 1)) + headers(1, request("GET", "/big")), lambda n: window_update(1, 1), 6000),
]


class Program:
    """What a process has used."""

    def __init__(self, pid: int):
        self._folder = pathlib.Path(f"/proc/{pid}")

    def cpu(self) -> float:
        words = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        return int((self._folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Neighbour:
    """Another client, one request after the other, for as long as the block lasts; the longest is what counts, without
    what this program itself was late."""

    def __init__(self, address: str):
        self._address = address
        self.slowest = 0.0
        self.count = 0
        self._late = 0.0

    async def _run(self) -> None:
        client = await Client.connect("neighbour", self._address)
        try:
            while True:
                began = time.monotonic()
                self._late = 0.0
                await client.request(text.transcript(["GET /well"]))
                if (await client.response()).status != 200:
                    raise Failure("the neighbour was refused")
                self.slowest = max(self.slowest, time.monotonic() - began - self._late)
                self.count += 1
                await asyncio.sleep(0.005)
        finally:
            await client.peer.close()

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            self._late += max(0.0, time.monotonic() - began - 0.01)

    async def __aenter__(self) -> "Neighbour":
        self._watcher = asyncio.create_task(self._watch())
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_) -> None:
        self._watcher.cancel()
        if self._task.done():
            self._task.result()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def _pour(client: Http2Client, flood: Flood) -> int:
    """Sends until the connection has ended; how many parts were sent."""
    until = time.monotonic() + SECONDS_MAX
    sent, batch = 0, 100
    while not client.ended and time.monotonic() < until:
        chunk = b"".join(flood.part(n) for n in range(sent, sent + batch))
        try:
            async with asyncio.timeout(0.5):
                await client.send(chunk)
        except TimeoutError:
            if client.is_closing():
                break
        sent += batch
        await asyncio.sleep(0.001)
        if sent > 20 * flood.parts + 20_000:
            break
    return sent


async def _flood(world, address: str, flood: Flood) -> list[str]:
    program = Program(world.ballast.serving_pid)
    before = await world.defects()
    memory, cpu, began = program.memory(), program.cpu(), time.monotonic()
    async with Neighbour(address) as neighbour:
        client = await Http2Client.connect(address, begin=PREFACE + settings() + flood.begin)
        if not flood.reads:
            client.stop_reading()
        sent = await _pour(client, flood)
        if not flood.reads:
            client.read_on()
        problems = []
        try:
            await client.end(5.0)
        except Failure as failure:
            problems.append(str(failure))
        await client.close()
        await asyncio.sleep(0.05)
    used, grown, took = program.cpu() - cpu, program.memory() - memory, time.monotonic() - began
    code = client.goaways[-1][1] if client.goaways else "none"
    if code not in [CODES[each] for each in flood.defects] and client.ended != "reset":
        problems.append(f"GOAWAY {code}, {sent} parts sent")
    wanted = [before | {each: before.get(each, 0) + 1} for each in flood.defects]
    after = await world.defects(wanted)
    if after not in wanted:
        problems.append(f"counted {before} -> {after}")
    if used > flood.cpu_seconds:
        problems.append(f"{used:.2f} s of processor time for {sent} parts in {took:.1f} s")
    if grown > MEMORY_MAX:
        problems.append(f"{grown >> 20} MiB more memory")
    if neighbour.slowest > LATENCY_MAX or neighbour.count == 0:
        problems.append(f"another client waited {neighbour.slowest:.2f} s ({neighbour.count} requests)")
    print(f"  {flood.name}: {code}, {sent} parts, {used:.2f} s, {grown >> 10} KiB, neighbour {1000 * neighbour.slowest:.0f} ms")
    return [f"{flood.name}: {each}" for each in problems]


async def _unread(world, address: str, *, window: bool, head: bool, what: str) -> list[str]:
    """Many large answers that nobody reads: either no window is given, or the connection itself is not read.

    head: and a head that is begun and never ended; the listener's header timeout is over first.
    """
    program = Program(world.ballast.serving_pid)
    memory, cpu = program.memory(), program.cpu()
    async with Neighbour(address) as neighbour:
        begin = settings((4, (1 << 31) - 1 if window else 0)) + window_update(0, (1 << 31) - 65536)
        client = await Http2Client.connect(address, begin=PREFACE + begin)
        client.gives_window = False
        if window:
            client.stop_reading()
        await client.send(*[headers(1 + 2 * n, request("GET", "/big")) for n in range(BIG_STREAMS)])
        if head:
            await client.send(headers(1 + 2 * BIG_STREAMS, request(), 0))
        await asyncio.sleep(2.5)
        grown = program.memory() - memory
        problems = []
        # What nobody takes is given up, stream by stream or all at once.
        until = time.monotonic() + 10
        if window:
            while world.open_connections(address) > 1 and time.monotonic() < until:
                await asyncio.sleep(0.1)
            if world.open_connections(address) > 1:
                problems.append("the connection is still there")
        else:
            try:
                await client.until(lambda: client.ended or sum(bool(each.reset) for each in client.answers.values()) >= BIG_STREAMS,
                                   "the end of the streams")
            except Failure as failure:
                problems.append(str(failure)[:300])
        await client.close()
    used = program.cpu() - cpu
    if used > 2.0:
        problems.append(f"{used:.2f} s of processor time")
    if grown > MEMORY_MAX:
        problems.append(f"{grown >> 20} MiB more memory")
    if neighbour.slowest > LATENCY_MAX or neighbour.count == 0:
        problems.append(f"another client waited {neighbour.slowest:.2f} s ({neighbour.count} requests)")
    print(f"  {what}: {used:.2f} s, {grown >> 10} KiB, neighbour {1000 * neighbour.slowest:.0f} ms")
    return [f"{what}: {each}" for each in problems]


async def _tables(world, address: str) -> list[str]:
    """The size of our table changed with each request, and each field entered into it: served, with bounded memory."""
    program = Program(world.ballast.serving_pid)
    memory, cpu = program.memory(), program.cpu()
    client = await Http2Client.connect(address)
    for n in range(300):
        entry = b"\x40\x03abc\x7f\x81\x0f" + bytes([97 + n % 26]) * 2048
        size = [b"\x20", b"\x3f\xe1\x1f"][n % 2]
        await client.send(settings((1, (0, 4096, 1 << 30)[n % 3])), headers(1 + 2 * n, size + request("GET", "/well") + entry))
        answer = await client.answer(1 + 2 * n)
        if answer.status != "200":
            return [f"tables: {client.describe()}"]
    await client.close()
    grown, used = program.memory() - memory, program.cpu() - cpu
    print(f"  table sizes: {used:.2f} s, {grown >> 10} KiB")
    return [f"tables: {grown >> 20} MiB more memory"] if grown > MEMORY_MAX else []


async def floods(world, address: str) -> int:
    problems = []
    for flood in FLOODS:
        problems += await _flood(world, address, flood)
    problems += await _tables(world, address)
    problems += await _unread(world, address, window=False, head=False, what="no window")
    problems += await _unread(world, address, window=True, head=False, what="a connection that is not read")
    problems += await _unread(world, address, window=True, head=True, what="a connection that is not read, with an open head")
    if problems:
        raise Failure("\n".join(problems))
    return len(FLOODS) + 4

"""A client of HTTP/2 that sends what it is told, right or wrong, frame by frame, and reads what comes back.

Frames are written here by hand; python3-hyperframe and python3-hpack read the answers.
"""

import asyncio
import contextlib
import dataclasses
import struct
import sys

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, for an interpreter that is not Debian's

import hpack  # noqa: E402
from hyperframe import frame as frames  # noqa: E402

from kit.failure import Failure  # noqa: E402

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 0x1, 0x1, 0x4, 0x8, 0x20
ERRORS = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
          "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
          "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]
PATIENCE = 10.0


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"", *, size: int | None = None) -> bytes:
    """`size`: what the frame says of itself where that is a lie."""
    return struct.pack(">I", len(payload) if size is None else size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def block(*fields: tuple[str, str | bytes]) -> bytes:
    """Literals that enter no table: a block that means the same wherever it stands."""
    out = b""
    for name, value in fields:
        raw = [each.encode() if isinstance(each, str) else each for each in (name, value)]
        out += b"\0" + b"".join(_length(len(each)) + each for each in raw)
    return out


def _length(size: int) -> bytes:
    if size < 127:
        return bytes([size])
    out, size = b"\x7f", size - 127
    while size >= 128:
        out, size = out + bytes([size % 128 + 128]), size // 128
    return out + bytes([size])


def request(method: str = "GET", path: str = "/", *more: tuple[str, str | bytes], authority: str = "h") -> bytes:
    return block((":method", method), (":scheme", "http"), (":path", path), (":authority", authority), *more)


def headers(stream: int, fields: bytes | None = None, flags: int = END_STREAM | END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, request() if fields is None else fields)


def data(stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return frame(DATA, flags, stream, payload)


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream: int, by: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))


def rst_stream(stream: int, code: int = 8) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


@dataclasses.dataclass
class Answer:
    """What a stream has brought."""
    heads: list[dict[str, str]] = dataclasses.field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    reset: str = ""

    @property
    def status(self) -> str:
        final = [head[":status"] for head in self.heads if head.get(":status", "1").startswith(("2", "3", "4", "5"))]
        return final[0] if final else ""


class Http2Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer
        self._decoder = hpack.Decoder()
        self._reading: asyncio.Task | None = None
        self._news = asyncio.Event()
        self._partial = b""
        self.answers: dict[int, Answer] = {}
        self.settings: dict[int, int] = {}
        self.goaways: list[tuple[int, str]] = []  # the last stream, the code
        self.pings = 0       # answered
        self.acks = 0        # of our settings
        self.updates: dict[int, int] = {}  # the windows given, by stream
        self.ended = ""      # "fin" or "reset"
        self.gives_window = True  # for what it receives

    @classmethod
    async def connect(cls, address: str, *, begin: bytes | None = None, source: str = "") -> "Http2Client":
        """begin: what is sent first; else the preface and empty settings."""
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0) if source else None)
        client = cls(reader, writer)
        client._reading = asyncio.create_task(client._read())
        await client.send(PREFACE + settings() if begin is None else begin)
        return client

    async def send(self, *parts: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(b"".join(parts))
            await self._writer.drain()

    def is_closing(self) -> bool:
        return self._writer.transport.is_closing()

    def stop_reading(self) -> None:
        self._writer.transport.pause_reading()

    def read_on(self) -> None:
        self._writer.transport.resume_reading()

    async def _read(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(9)
                payload = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
                await self._take(head, payload)
                self._news.set()
        except asyncio.IncompleteReadError as error:
            self.ended = "fin" if not error.partial else f"in the middle of a frame: {error.partial!r}"
        except ConnectionError:
            self.ended = "reset"
        self._news.set()

    async def _take(self, head: bytes, payload: bytes) -> None:
        got, _ = frames.Frame.parse_frame_header(memoryview(head))
        got.parse_body(memoryview(payload))
        answer = self.answers.setdefault(got.stream_id, Answer())
        if isinstance(got, frames.SettingsFrame):
            if "ACK" in got.flags:
                self.acks += 1
            else:
                self.settings |= got.settings
                await self.send(frame(SETTINGS, ACK))
        elif isinstance(got, frames.PingFrame):
            if "ACK" in got.flags:
                self.pings += 1
            else:
                await self.send(frame(PING, ACK, 0, got.opaque_data))
        elif isinstance(got, frames.GoAwayFrame):
            self.goaways.append((got.last_stream_id, ERRORS[got.error_code]))
        elif isinstance(got, frames.RstStreamFrame):
            answer.reset = ERRORS[got.error_code]
        elif isinstance(got, frames.WindowUpdateFrame):
            self.updates[got.stream_id] = self.updates.get(got.stream_id, 0) + got.window_increment
        elif isinstance(got, frames.DataFrame):
            answer.body += got.data
            answer.ended |= "END_STREAM" in got.flags
            if self.gives_window and got.flow_controlled_length:
                both = window_update(0, got.flow_controlled_length)
                await self.send(both if answer.ended else both + window_update(got.stream_id, got.flow_controlled_length))
        elif isinstance(got, (frames.HeadersFrame, frames.ContinuationFrame)):
            self._partial += got.data
            if "END_HEADERS" in got.flags:
                answer.heads.append(dict(self._decoder.decode(self._partial)))
                self._partial = b""
            answer.ended |= "END_STREAM" in got.flags

    async def until(self, holds, what: str, patience: float = PATIENCE) -> None:
        try:
            async with asyncio.timeout(patience):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise Failure(f"{what} did not come within {patience:g} s; {self.describe()}") from None

    def describe(self) -> str:
        return (f"ended: {self.ended or 'no'}, GOAWAY: {self.goaways}, pings: {self.pings}, "
                f"answers: { {stream: (each.status, len(each.body), each.ended, each.reset) for stream, each in self.answers.items() if stream} }")

    async def answer(self, stream: int, patience: float = PATIENCE) -> Answer:
        answer = self.answers.setdefault(stream, Answer())
        await self.until(lambda: answer.ended or answer.reset or self.ended, f"the end of stream {stream}", patience)
        return answer

    async def get(self, stream: int, path: str = "/", *more: tuple[str, str]) -> Answer:
        await self.send(headers(stream, request("GET", path, *more)))
        return await self.answer(stream)

    async def ping(self, patience: float = PATIENCE) -> None:
        """All that was sent before has been judged when this returns."""
        wanted = self.pings + 1
        await self.send(frame(PING, 0, 0, b"12345678"))
        await self.until(lambda: self.pings >= wanted or self.ended, "the answer to a PING", patience)

    async def end(self, patience: float = PATIENCE) -> str:
        await self.until(lambda: self.ended, "the end of the connection", patience)
        return self.ended

    async def close(self) -> None:
        self._reading.cancel()
        self._writer.transport.abort()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await self._reading

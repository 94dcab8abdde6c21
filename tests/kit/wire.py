"""A strict reader of HTTP/1.1 messages, independent of the one under test.

It accepts only what RFC 9112 lets a sender generate: CRLF line ends, one framing, no folding. Everything else is a
Violation. Both the fake upstream and the client read with it, so that a sloppy proxy is noticed on either side.
"""

import asyncio
import dataclasses
import re

from kit.failure import Violation

LINE_MAX = 1 << 20  # of the tests themselves; nothing that passes a proxy comes near it
READ_SIZE = 1 << 16

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(%s) ([!-~]+) HTTP/1\.([01])" % _TOKEN)
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t -~\x80-\xff]*)")
_FIELD = re.compile(rb"(%s):[ \t]*([\t -~\x80-\xff]*)" % _TOKEN)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(;[\t -~]*)?")


class Fields:
    """Header or trailer fields in their order, looked up without case."""

    def __init__(self, items: list[tuple[str, str]]):
        self.items = items

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.items if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def tokens(self, name: str) -> list[str]:
        return [token.strip().lower() for value in self.all(name) for token in value.split(",")]


@dataclasses.dataclass
class Message:
    """A request or a response: `first` is (method, target) or (status, reason)."""

    first: tuple[str, str]
    version: str
    fields: Fields
    body: bytes = b""
    trailers: Fields = dataclasses.field(default_factory=lambda: Fields([]))
    chunks: int = 0
    complete: bool = False  # the body ended where its framing says
    cut_by: str = ""        # what ended an incomplete one: "fin" or "reset"
    connection: int = 0     # filled by the upstream
    raw: bytes = b""

    @property
    def method(self) -> str:
        return self.first[0]

    @property
    def target(self) -> str:
        return self.first[1]

    @property
    def status(self) -> int:
        return int(self.first[0])

    def describe(self) -> str:
        lines = [" ".join(self.first)] + [f"{name}: {value}" for name, value in self.fields.items]
        lines += ["", self.body[:300].decode("latin-1") + ("..." if len(self.body) > 300 else "")]
        return "\n".join(lines + ([] if self.complete else [f"(cut by {self.cut_by})"]))


class Ended(Exception):
    """The peer ended the connection; how is "fin" or "reset"."""

    def __init__(self, how: str, left: bytes):
        super().__init__(f"connection ended by {how}")
        self.how = how
        self.left = left


class Source:
    """The bytes of one connection, with all of them kept for the report."""

    def __init__(self, reader: asyncio.StreamReader, keep: int = 1 << 20):
        self._reader = reader
        self._buffer = bytearray()
        self._keep = keep
        self.seen = bytearray()
        self.ended = ""

    async def fill(self) -> None:
        """At least one more byte, or Ended."""
        if not self.ended:
            data = await self._reader.read(READ_SIZE)
            if data:
                self._buffer += data
                if len(self.seen) < self._keep:
                    self.seen += data
                return
            self.ended = "reset" if getattr(self._reader, "failed", False) else "fin"
        raise Ended(self.ended, bytes(self._buffer))

    async def line(self) -> bytes:
        while (at := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_MAX:
                raise Violation(f"a line of more than {LINE_MAX} bytes: {bytes(self._buffer[:80])!r}...")
            await self.fill()
        line = bytes(self._buffer[:at + 1])
        del self._buffer[:at + 1]
        if not line.endswith(b"\r\n"):
            raise Violation(f"a line ends in a bare LF: {line!r}")
        if b"\r" in line[:-2]:
            raise Violation(f"a bare CR: {line!r}")
        return line[:-2]

    async def some(self, most: int) -> bytes:
        if not self._buffer:
            await self.fill()
        data = bytes(self._buffer[:most])
        del self._buffer[:most]
        return data

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self.fill()
        return await self.some(size) if size else b""

    def waiting(self) -> bytes:
        """What has come and was not taken."""
        return bytes(self._buffer)


async def read_fields(source: Source) -> Fields:
    items = []
    while line := await source.line():
        match = _FIELD.fullmatch(line)
        if not match:
            raise Violation(f"not a header field: {line!r}")
        items.append((match[1].decode(), match[2].decode("latin-1").rstrip(" \t")))
    return Fields(items)


async def read_request_head(source: Source) -> Message:
    line = await source.line()
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise Violation(f"not a request line: {line!r}")
    message = Message((match[1].decode(), match[2].decode()), f"1.{match[3].decode()}", await read_fields(source))
    if message.version == "1.1" and len(message.fields.all("host")) != 1:
        raise Violation(f"{message.method} {message.target} has {len(message.fields.all('host'))} Host fields")
    return message


async def read_response_head(source: Source) -> Message:
    line = await source.line()
    match = _STATUS_LINE.fullmatch(line)
    if not match:
        raise Violation(f"not a status line: {line!r}")
    return Message((match[2].decode(), match[3].decode("latin-1")), f"1.{match[1].decode()}", await read_fields(source))


def _framing(message: Message) -> tuple[str, int]:
    lengths, codings = message.fields.all("content-length"), message.fields.tokens("transfer-encoding")
    if codings and lengths:
        raise Violation(f"both Content-Length and Transfer-Encoding:\n{message.describe()}")
    if codings:
        if codings != ["chunked"]:
            raise Violation(f"Transfer-Encoding: {', '.join(codings)}")
        return "chunked", 0
    if lengths:
        if len(lengths) != 1 or not re.fullmatch("[0-9]{1,18}", lengths[0]):
            raise Violation(f"Content-Length: {', '.join(lengths)}")
        return "length", int(lengths[0])
    return "", 0


async def read_body(source: Source, message: Message, framing: str, length: int) -> None:
    """Fills body, trailers and complete; an early end is no exception but stays visible in the message."""
    parts: list[bytes] = []
    try:
        if framing == "length":
            while length:
                parts.append(await source.some(min(length, READ_SIZE)))
                length -= len(parts[-1])
        elif framing == "chunked":
            while size := await _chunk_size(source):
                message.chunks += 1
                while size:
                    parts.append(await source.some(min(size, READ_SIZE)))
                    size -= len(parts[-1])
                if await source.exactly(2) != b"\r\n":
                    raise Violation("chunk data does not end in CRLF")
            message.trailers = await read_fields(source)
        elif framing == "close":
            while True:
                parts.append(await source.some(READ_SIZE))
        message.complete = True
    except Ended as ended:
        message.complete = framing == "close" and ended.how == "fin"
        message.cut_by = "" if message.complete else ended.how
    message.body = b"".join(parts)


async def _chunk_size(source: Source) -> int:
    line = await source.line()
    match = _CHUNK_SIZE.fullmatch(line)
    if not match:
        raise Violation(f"not a chunk size: {line!r}")
    return int(match[1], 16)


async def read_request_body(source: Source, message: Message) -> None:
    framing, length = _framing(message)
    await read_body(source, message, framing, length)


async def read_response(source: Source, *, to_method: str = "GET") -> Message:
    """The next response, interim ones (1xx) included."""
    message = await read_response_head(source)
    status = message.status
    framing, length = _framing(message)
    if to_method == "CONNECT" and 200 <= status < 300 or status < 200 or status == 204:
        if framing:
            raise Violation(f"a response that cannot have a body is framed:\n{message.describe()}")
        message.complete = True
    elif to_method == "HEAD" or status == 304:
        message.complete = True
    else:
        await read_body(source, message, framing or "close", length)
    return message

"""The test's own reading of HTTP/1.1 bytes: RFC 9112 to the letter, a pure function of bytes, independent of all else.

A Reading takes one request from the front of a buffer; Broken says why there is none and never will be.
"""

import dataclasses
import re

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE = re.compile(rb"(%s) ([!-\"$-~]+) HTTP/1\.([01])" % _TOKEN)
_FIELD = re.compile(rb"(%s):([\t -~\x80-\xff]*)" % _TOKEN)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t -~\x80-\xff]*)?")


class Broken(Exception):
    """No valid message begins with these bytes."""


@dataclasses.dataclass
class Request:
    method: str
    target: str
    body: bytes
    framing: str  # "", "length" or "chunked"
    persists: bool
    fields: list[tuple[str, str]]

    def key(self) -> tuple[str, str, bytes]:
        return self.method, self.target, self.body


def _line(data: bytes, at: int) -> tuple[bytes, int] | None:
    end = data.find(b"\n", at)
    if end < 0:
        return None
    line = data[at:end + 1]
    if not line.endswith(b"\r\n"):
        raise Broken(f"a line ends with LF alone: {line[:80]!r}")
    if b"\r" in line[:-2]:
        raise Broken(f"a bare CR: {line[:80]!r}")
    return line[:-2], end + 1


def _fields(data: bytes, at: int) -> tuple[list[tuple[str, str]], int] | None:
    fields = []
    while True:
        read = _line(data, at)
        if read is None:
            return None
        line, at = read
        if not line:
            return fields, at
        match = _FIELD.fullmatch(line)
        if not match:
            raise Broken(f"not a field: {line[:80]!r}")
        fields.append((match[1].decode().lower(), match[2].strip(b" \t").decode("latin-1")))


def _chunked(data: bytes, at: int) -> tuple[bytes, int] | None:
    body = b""
    while True:
        read = _line(data, at)
        if read is None:
            return None
        line, at = read
        match = _SIZE.fullmatch(line)
        if not match:
            raise Broken(f"not a chunk's size: {line[:80]!r}")
        size = int(match[1], 16)
        if size == 0:
            break
        if len(data) < at + size + 2:
            if len(data) > at + size and data[at + size:at + size + 1] != b"\r":
                raise Broken("a chunk is longer than its size")
            return None
        if data[at + size:at + size + 2] != b"\r\n":
            raise Broken("a chunk is longer than its size")
        body += data[at:at + size]
        at += size + 2
    trailers = _fields(data, at)
    return None if trailers is None else (body, trailers[1])


def take_request(data: bytes) -> tuple[Request, int] | None:
    """The first request and how many bytes it is; None: it has not come whole."""
    read = _line(data, 0)
    if read is None:
        return None
    match = _LINE.fullmatch(read[0])
    if not match:
        raise Broken(f"not a request line: {read[0][:80]!r}")
    method, target, minor = match[1].decode(), match[2].decode(), int(match[3])
    head = _fields(data, read[1])
    if head is None:
        return None
    fields, at = head
    values = {name: [value for each, value in fields if each == name] for name, _ in fields}
    hosts, lengths, codings = (values.get(name, []) for name in ("host", "content-length", "transfer-encoding"))
    if len(hosts) > 1 or minor and not hosts:
        raise Broken(f"{len(hosts)} Host fields")
    if lengths and codings:
        raise Broken("a length and a coding")
    framing, body = "", b""
    if codings:
        if len(codings) != 1 or codings[0].lower() != "chunked" or not minor:
            raise Broken(f"Transfer-Encoding: {codings}")
        read = _chunked(data, at)
        if read is None:
            return None
        framing, (body, at) = "chunked", read
    elif lengths:
        if len(lengths) != 1 or not re.fullmatch("[0-9]+", lengths[0]):
            raise Broken(f"Content-Length: {lengths}")
        framing, size = "length", int(lengths[0])
        if len(data) < at + size:
            return None
        body, at = data[at:at + size], at + size
    options = [each.strip().lower() for value in values.get("connection", []) for each in value.split(",")]
    persists = "close" not in options and (minor == 1 or "keep-alive" in options)
    return Request(method, target, body, framing, persists, fields), at


def take_all(data: bytes) -> tuple[list[Request], str]:
    """The requests that a strict server reads from a connection that carries these bytes, and why it stopped."""
    requests = []
    while True:
        if data.startswith(b"\r\n"):  # one empty line (RFC 9112 2.2)
            data = data[2:]
        try:
            read = take_request(data)
        except Broken as broken:
            return requests, str(broken)
        if read is None:
            return requests, "incomplete" if data else ""
        requests.append(read[0])
        data = data[read[1]:]
        if not read[0].persists:
            return requests, "closed"

"""The text of a .spec file: lines with indented blocks, quoted bytes, durations, patterns, and messages as transcripts.

A message is written as `curl -v` shows it: `>` lines go toward the target, `<` lines toward the client. See spec.py.
"""

import dataclasses
import re

from kit.failure import Failure

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
_ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\", '"': b'"'}
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*\*\s*(\d+))?')


@dataclasses.dataclass
class Line:
    number: int
    text: str
    block: list["Line"] = dataclasses.field(default_factory=list)
    raw: str = ""  # the block as it stands, without its common indentation


def parse(text: str) -> list[Line]:
    """The lines at the left margin, each with the block under it."""
    rows = [(number, row) for number, row in enumerate(text.splitlines(), 1)]
    return _lines(rows)


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip(" "))


def _lines(rows: list[tuple[int, str]]) -> list[Line]:
    found: list[Line] = []
    at = 0
    while at < len(rows):
        number, row = rows[at]
        at += 1
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        margin, start = _indent(row), at
        while at < len(rows) and (not rows[at][1].strip() or _indent(rows[at][1]) > margin):
            at += 1
        below = rows[start:at]
        depth = min((_indent(each) for _, each in below if each.strip()), default=0)
        raw = "\n".join(each[depth:] for _, each in below).rstrip() + "\n"
        found.append(Line(number, row.strip(), _lines(below), raw))
    return found


def seconds(word: str) -> float:
    match = re.fullmatch(r"([0-9.]+)(ms|s|min)", word)
    if not match:
        raise Failure(f"not a duration: {word} (write 200ms, 2s, 1min)")
    return float(match[1]) * _UNITS[match[2]]


def quoted(text: str) -> bytes:
    """`"GET " "a" * 100 "\\r\\n"`: the strings one behind the other, each as often as said."""
    result, at = b"", 0
    while at < len(text):
        match = _QUOTED.match(text, at)
        if not match:
            raise Failure(f"expected a quoted string at: {text[at:]}")
        result += unescape(match[1]) * int(match[2] or 1)
        at = match.end()
        while at < len(text) and text[at] == " ":
            at += 1
    return result


def unescape(text: str) -> bytes:
    result, at = b"", 0
    while at < len(text):
        if text[at] != "\\":
            result += text[at].encode()
            at += 1
        elif text[at + 1] == "x":
            result += bytes([int(text[at + 2:at + 4], 16)])
            at += 4
        elif text[at + 1] in _ESCAPES:
            result += _ESCAPES[text[at + 1]]
            at += 2
        else:
            raise Failure(f"unknown escape \\{text[at + 1]}")
    return result


def matches(pattern: str, value: str) -> bool:
    """`*` stands for any text; `~expression` is a regular expression that must be found."""
    if pattern.startswith("~"):
        return re.search(pattern[1:].strip(), value) is not None
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL) is not None


@dataclasses.dataclass
class Transcript:
    """One message of `>` or `<` lines, to be sent or to be expected."""

    first: str
    fields: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    absent: list[str] = dataclasses.field(default_factory=list)
    trailers: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    body: list[str] | None = None   # its lines
    body_size: int | None = None    # `< body 70000 bytes`
    cut: bool = False               # `< cut`: the body must not be complete
    ended: bool = False             # an empty line closed the head

    @property
    def exact(self) -> bool:
        return "HTTP/" in self.first

    def value(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


def transcript(rows: list[str]) -> Transcript:
    message = Transcript(rows[0])
    for row in rows[1:]:
        if message.body is not None:
            message.body.append(row)
        elif not row:
            message.ended = True
            message.body = []
        elif row.startswith("no "):
            message.absent.append(row[3:].strip())
        elif row.startswith("trailer "):
            name, _, value = row[8:].partition(":")
            message.trailers.append((name.strip(), value.strip()))
        elif match := re.fullmatch(r"body (\d+) bytes", row):
            message.body_size = int(match[1])
        elif row == "cut":
            message.cut = True
        else:
            name, colon, value = row.partition(":")
            if not colon:
                raise Failure(f"not a header line: {row}")
            message.fields.append((name, value.strip()))
    return message


def compose(message: Transcript, first: str, extra: list[tuple[str, str]], *, framed: bool) -> bytes:
    """The bytes of a message: exact ones line by line, others completed with `extra` and their framing."""
    fields = [(name, value) for name, value in message.fields]
    body_lines = message.body or []
    chunked = (message.value("transfer-encoding") or "").lower() == "chunked"
    body = "\n".join(body_lines).encode()
    if message.body_size is not None:
        body = pattern_bytes(message.body_size)
        body_lines = [body.decode()]
    if not message.exact:
        have = {name.lower() for name, _ in fields} | {name.lower() for name in message.absent}
        fields += [(name, value) for name, value in extra if name.lower() not in have]
        if framed and not chunked and not have & {"content-length", "transfer-encoding"}:
            fields.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    if chunked and not message.exact:
        body = b"".join(b"%x\r\n%s\r\n" % (len(line), line.encode()) for line in body_lines if line) + b"0\r\n"
        body += "".join(f"{name}: {value}\r\n" for name, value in message.trailers).encode() + b"\r\n"
    end = "\r\n" if message.ended or not message.exact else ""
    return f"{first}\r\n{head}{end}".encode() + body


def pattern_bytes(size: int) -> bytes:
    """Bytes that tell where they stand, so that a lost or repeated piece shows."""
    row = b"".join(b"%07d\n" % n for n in range(min(size // 8 + 1, 100_000)))
    return (row * (size // len(row) + 1))[:size]

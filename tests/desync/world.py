"""A Ballast with a listener, a group and a byte-recording origin for each mode; and clients that send bytes as they are."""

import asyncio
import contextlib
import dataclasses
import json
import pathlib
import re

from desync.reading import Broken, Request, take_request
from kit.ballast import Ballast, complete_config
from kit.failure import Failure

MODES = ("monitor", "defensive", "strictest")
PATIENCE = 20.0  # seconds for anything that must come


def got(method: str, target: str, body: bytes) -> str:
    """What an origin says it has read, in a header of its answer."""
    return f"{method} {target} {len(body)} {body[:200].hex() or '-'}"


class Origin:
    """Records every byte it gets, reads it by the letter, and answers each request with what it read."""

    def __init__(self):
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.answers: dict[str, bytes] = {}  # by target: raw bytes that are sent instead, and the connection closed
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _OriginConnection(self), "127.0.0.1", 0)

    def stop(self) -> None:
        self._server.close()


class _OriginConnection(asyncio.Protocol):
    def __init__(self, origin: Origin):
        self.origin = origin
        self.recorded = b""  # all bytes of the connection not yet read as a request
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.recorded += data
        while self.recorded:
            try:
                read = take_request(self.recorded)
            except Broken as broken:
                self.origin.violations.append(f"{broken}; the bytes: {self.recorded[:300]!r}")
                self.transport.abort()
                return
            if read is None:
                return
            request, size = read
            self.recorded = self.recorded[size:]
            self.origin.requests.append(request)
            raw = self.origin.answers.get(request.target)
            if raw is not None:
                self.transport.write(raw)
                self.transport.close()
                return
            says = got(*request.key())
            self.transport.write(f"HTTP/1.1 200 OK\r\nX-Got: {says}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))


@dataclasses.dataclass
class Answer:
    status: int
    got: str       # of an origin; "": the balancer's own
    reason: str    # of the balancer
    defect: str
    closes: bool
    body: bytes
    fields: dict[str, str]


_REASON = re.compile(rb"reason: (\w+)(?: \((\w+)\))?")


def take_answers(data: bytes) -> tuple[list[Answer], bytes]:
    """The final answers of a connection, and what is left: the balancer's words must be whole and in order."""
    answers = []
    while True:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return answers, data
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 ([1-5]\d\d) [\t -~\x80-\xff]*", first)
        if not match:
            raise Failure(f"no answer: {data[:200]!r}")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status, at = int(match[1]), end + 4
        if status < 200:
            data = data[at:]
            continue
        if fields.get("transfer-encoding") == "chunked":
            whole = re.match(rb"(?s)((?:[0-9a-f]+\r\n.*?\r\n)*)0\r\n\r\n", data[at:])
            if not whole:
                return answers, data
            body, rest, size = b"", whole[1], 0
            while rest:
                head, _, rest = rest.partition(b"\r\n")
                size = int(head, 16)
                body, rest = body + rest[:size], rest[size + 2:]
            at += whole.end()
        else:
            size = int(fields.get("content-length", "0"))
            if len(data) < at + size:
                return answers, data
            body = data[at:at + size]
            at += size
        reason = _REASON.search(body) if "x-got" not in fields else None
        answers.append(Answer(status, fields.get("x-got", ""), reason[1].decode() if reason else "",
                              reason[2].decode() if reason and reason[2] else "",
                              fields.get("connection", "").lower() == "close", body, fields))
        data = data[at:]


class Wire(asyncio.Protocol):
    """One client's connection."""

    def __init__(self):
        self.data = b""
        self.ended = ""
        self.news = asyncio.Event()
        self.transport: asyncio.Transport | None = None

    @staticmethod
    async def connect(address: str) -> "Wire":
        host, _, port = address.rpartition(":")
        _, wire = await asyncio.get_running_loop().create_connection(Wire, host, int(port))
        return wire

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def eof_received(self) -> bool:
        self.ended = "fin"
        self.news.set()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = self.ended or ("reset" if error else "fin")
        self.news.set()

    def send(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def half_close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.transport.write_eof()

    def close(self) -> None:
        self.transport.abort()

    async def until(self, holds, what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise Failure(f"{what} did not come within {PATIENCE:g} s; there is: {self.data[:300]!r}") from None


class World:
    """A Ballast; for each mode one listener "web-MODE" before a group "site-MODE" before an origin of its own."""

    def __init__(self, binary: str, folder: pathlib.Path, modes: tuple[str, ...] = MODES):
        self.modes = modes
        self.folder = folder
        self.ballast = Ballast(binary, folder)
        self.origins = {mode: Origin() for mode in modes}
        self.listeners: dict[str, str] = {}

    async def start(self) -> None:
        for origin in self.origins.values():
            await origin.start()
        listeners = "".join(
            f"  web-{mode}: {{ address: \"127.0.0.1:0\", protocol: http, desync: {mode}, x_forwarded: off,"
            f" default: {{ forward: site-{mode} }} }}\n" for mode in self.modes)
        groups = "".join(
            f"  site-{mode}: {{ protocol: http, desync: {mode}, health_check: off, retries: {{ attempts: 1 }},"
            f" targets: [ \"{origin.address}\" ] }}\n" for mode, origin in self.origins.items())
        path = self.folder / "ballast.yaml"
        # One worker: its log tells in the order things happened.
        path.write_text(complete_config(f"workers: 1\nlisteners:\n{listeners}target_groups:\n{groups}", self.folder,
                                        admin_http=self.ballast.admin_http))
        await self.ballast.start(path)
        self.listeners = {name.removeprefix("web-"): address for name, address in (await self.ballast.listeners()).items()}

    async def stop(self) -> None:
        try:
            await self.ballast.stop()
        finally:
            for origin in self.origins.values():
                origin.stop()

    def records(self, mode: str) -> list[dict]:
        """The access log's lines of one listener; whole after stop()."""
        lines = map(json.loads, self.ballast.access_log.read_text().splitlines())
        return [each for each in lines if each["listener"] == f"web-{mode}"]

    def check_violations(self) -> list[str]:
        return [f"{mode}: an origin got what is no request: {each}" for mode, origin in self.origins.items()
                for each in origin.violations]

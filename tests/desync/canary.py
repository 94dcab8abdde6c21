"""Canaries: a balancer in a few lines that has one fault at a time, each of which the corpus and its invariant must find.

Without a fault it must pass; so the judge is shown to find what is wrong, and only that.
"""

import asyncio
import contextlib
import re

from desync import fuzz
from desync.corpus import Case
from desync.reading import Broken, Request, take_request
from desync.world import Origin

MODE = "defensive"


def _prefer_length(data: bytes) -> bytes:
    head, _, rest = data.partition(b"\r\n\r\n")
    if re.search(rb"(?i)\r\ncontent-length:", head) and re.search(rb"(?i)\r\ntransfer-encoding:", head):
        head = re.sub(rb"(?i)\r\ntransfer-encoding:[^\r]*", b"", head)
    return head + b"\r\n\r\n" + rest


FAULTS = {
    "none": lambda data: data,
    "a length beside a coding": _prefer_length,
    "a bare LF ends a line": lambda data: re.sub(rb"(?<!\r)\n", b"\r\n", data),
    "codings like chunked": lambda data: re.sub(rb"(?i)(transfer-encoding):[^\r\n]*chunked[^\r\n]*", rb"\1: chunked", data),
    "a space before the colon": lambda data: re.sub(rb"(?i)(transfer-encoding|content-length)[ \t]+:", rb"\1:", data),
    "the first of two lengths": lambda data: re.sub(rb"(?is)(\r\ncontent-length: *\d+)(.*?)\r\ncontent-length:[^\r]*", rb"\1\2", data, count=1),
    "a sign in a length": lambda data: re.sub(rb"(?i)(content-length:) *\+", rb"\1 ", data),
    "a chunk's size as C reads it": lambda data: re.sub(rb"(?m)^0x([0-9a-f]+\r\n)", rb"\1", data),
    "the connection goes on behind a 400": lambda data: data,
}


class Balancer(asyncio.Protocol):
    """One client's connection, taken request by request."""

    def __init__(self, fault: str, origin: str):
        self.fault, self.origin = fault, origin
        self.data = b""
        self.ended = False
        self.news = asyncio.Event()
        self.task: asyncio.Task | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.task = asyncio.ensure_future(self._serve())

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def eof_received(self) -> bool:
        self.ended = True
        self.news.set()
        return True

    async def _serve(self) -> None:
        goes_on = True
        while goes_on:
            goes_on = await self._another()
        with contextlib.suppress(OSError, RuntimeError):
            self.transport.close()

    async def _another(self) -> bool:
        read = None
        while read is None:
            if self.data.startswith(b"\r\n"):
                self.data = self.data[2:]
            try:
                read = take_request(FAULTS[self.fault](self.data)) if self.data else None
            except Broken:
                self.transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                self.data = self.data.partition(b"\r\n\r\n")[2]
                return self.fault == "the connection goes on behind a 400" and bool(self.data)
            if read is None:
                if self.ended:
                    return False
                self.news.clear()
                await self.news.wait()
        request, size = read
        self.data = FAULTS[self.fault](self.data)[size:]
        self.transport.write(await self._ask(request))
        return request.persists

    async def _ask(self, request: Request) -> bytes:
        host, _, port = self.origin.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        method, target, body = fuzz.as_asked(request)
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer


class Stand:
    """What fuzz plays against: a World with a faulty balancer in the place of Ballast."""

    modes = (MODE,)

    def __init__(self, fault: str):
        self.fault = fault
        self.origins = {MODE: Origin()}
        self.listeners: dict[str, str] = {}

    async def __aenter__(self) -> "Stand":
        origin = self.origins[MODE]
        await origin.start()
        self.server = await asyncio.get_running_loop().create_server(lambda: Balancer(self.fault, origin.address), "127.0.0.1", 0)
        self.listeners[MODE] = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        self.server.close()
        self.origins[MODE].stop()


async def canaries(cases: list[Case]) -> list[str]:
    # A head of binary rubbish tells nothing that the others do not, and CONNECT is answered by a balancer itself.
    cases = [case for case in cases if len(case.data) < 2000]
    problems = []
    for fault in FAULTS:
        async with Stand(fault) as stand:
            found = []
            for case in cases:
                what = await fuzz.play_one(stand, MODE, case.data, len(case.data))
                if what:
                    found.append(f"{case.name}: {what}")
                if found and fault != "none":
                    break
        if fault == "none" and found:
            problems.append(f"a balancer without a fault is found fault with, {len(found)} times; the first: {found[0][:400]}")
        if fault != "none" and not found:
            problems.append(f"nothing in the corpus finds this fault: {fault}")
    if problems:
        return problems
    print(f"desync: {len(FAULTS) - 1} canaries are found")
    return []

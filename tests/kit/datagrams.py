"""UDP for scenarios: a target that answers datagrams, and the steps of a `udp client` block.

    origin a udp: echo          # `echo [3 times]`, `answer "x"` (default: its own name), `silent`; "whence" gives the asker's address
    udp client NAME to LISTENER from 127.0.0.2:   # a named one keeps its socket, and with it its flow
        send "x" | send 1000 bytes | receive "x" | receive 1000 bytes | receive from $address "x"
        ask "x" gets "y" | expect silence 200ms | another port | repeat 5: ...
        500 ports ask "x" [each gets an answer]   # so many flows at once; each has one target for itself
"""

import asyncio
import contextlib
import re
import socket

from kit import text
from kit.failure import Failure
from kit.origin import parse_send

PATIENCE_SECONDS = 10.0


class UdpOrigin:
    """A layer 4 upstream of datagrams; `flows` are the distinct addresses it was asked from."""

    def __init__(self, name: str, steps: list[str]):
        self.name = name
        self.received = bytearray()
        self.datagrams = 0
        self.flows: set[tuple[str, int]] = set()
        self.sources: set[str] = set()
        self.violations: list[str] = []
        self.open = self.connections = 0
        self._step = steps[0] if steps else "name"
        self._port = 0
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        raw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        raw.bind(("127.0.0.1", self._port))
        raw.setblocking(False)
        self._port = raw.getsockname()[1]
        self._socket = raw
        asyncio.get_running_loop().add_reader(raw, self._take_all)  # asyncio's own transport sends no empty datagrams

    async def stop(self) -> None:
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _take_all(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take(*self._socket.recvfrom(65536))

    def _take(self, data: bytes, source: tuple[str, int]) -> None:
        self.datagrams += 1
        self.received += data
        self.flows.add(source[:2])
        self.sources.add(source[0])
        for answer in self._answers(data, source):
            with contextlib.suppress(ConnectionError):  # told of an answer before, to one who is gone
                self._socket.sendto(answer, source)

    def _answers(self, data: bytes, source: tuple[str, int]) -> list[bytes]:
        if match := re.fullmatch(r"echo(?: (\d+) times)?", self._step):
            return [data] * int(match[1] or 1)
        if match := re.fullmatch(r'answer (".*")', self._step):
            return [text.quoted(match[1])]
        if self._step == "silent":
            return []
        if self._step == "whence":
            return [f"{source[0]}:{source[1]}".encode()]
        if self._step == "name":
            return [self.name.encode()]
        raise Failure(f"origin {self.name}: unknown action: {self._step}")


class UdpScript:
    """A client: one socket, unconnected, so that it sees from where each answer comes."""

    def __init__(self, address: str, source: str):
        host, _, port = address.rpartition(":")
        self._to = (host.strip("[]"), int(port))
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._source = source or ("::1" if ":" in host else "127.0.0.1")
        self._socket = self._open()

    def _open(self) -> socket.socket:
        raw = socket.socket(self._family, socket.SOCK_DGRAM)
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        raw.bind((self._source, 0))
        return raw

    async def close(self) -> None:
        self._socket.close()

    async def run(self, lines: list[text.Line]) -> None:
        from kit.script import located
        for line in lines:
            try:
                if line.block:
                    match = re.fullmatch(r"repeat (\d+):", line.text)
                    if not match:
                        raise Failure(f"unknown block: {line.text}")
                    for _ in range(int(match[1])):
                        await self.run(line.block)
                else:
                    await self._step(line.text)
            except Failure as failure:
                raise located(line, failure) from None

    async def _step(self, step: str) -> None:
        if match := re.fullmatch(r"send (.+)", step):
            self._socket.sendto(parse_send(match[1])[0], self._to)
        elif match := re.fullmatch(r"receive from (\S+) (.+)", step):
            await self._receive(parse_send(match[2])[0], match[1])
        elif match := re.fullmatch(r"receive (.+)", step):
            await self._receive(parse_send(match[1])[0], f"{self._to[0]}:{self._to[1]}")
        elif match := re.fullmatch(r"ask (.+) gets (.+)", step):
            self._socket.sendto(parse_send(match[1])[0], self._to)
            await self._receive(parse_send(match[2])[0], f"{self._to[0]}:{self._to[1]}")
        elif match := re.fullmatch(r"eventually ask (.+) is answered (.+)", step):
            await self._until_answered(parse_send(match[1])[0], parse_send(match[2])[0])
        elif match := re.fullmatch(r"expect silence (\w+)", step):
            if data := await self._next(text.seconds(match[1])):
                raise Failure(f"it said {data[0][:200]!r}")
        elif step == "another port":
            self._socket.close()
            self._socket = self._open()
        elif match := re.fullmatch(r"(\d+) ports ask (.+)", step):
            await self._many(int(match[1]), parse_send(match[2])[0])
        else:
            raise Failure(f"unknown step: {step}")

    async def _next(self, patience: float) -> tuple[bytes, tuple] | None:
        try:
            async with asyncio.timeout(patience):
                return await asyncio.get_running_loop().sock_recvfrom(self._socket, 65536)
        except TimeoutError:
            return None

    async def _receive(self, wanted: bytes, from_: str) -> None:
        got = await self._next(PATIENCE_SECONDS)
        if not got:
            raise Failure("no datagram came")
        if got[0] != wanted:
            raise Failure(f"{len(got[0])} bytes came: {got[0][:200]!r}")
        if f"{got[1][0]}:{got[1][1]}" != from_:
            raise Failure(f"it came from {got[1][0]}:{got[1][1]}, not {from_}")

    async def _until_answered(self, question: bytes, wanted: bytes) -> None:
        """A client that asks again, as those of UDP do, each time it was left alone or told otherwise."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        last = None
        while asyncio.get_running_loop().time() < deadline:
            self._socket.sendto(question, self._to)
            last = await self._next(0.1)
            if last and last[0] == wanted:
                return
        raise Failure(f"the last answer: {last!r}")

    async def _many(self, count: int, question: bytes) -> None:
        """Each asks twice; both answers must be there and the same, so none is lost and none changes its target."""
        sockets = [self._open() for _ in range(count)]
        loop = asyncio.get_running_loop()
        try:
            answers: dict[int, list[bytes]] = {}
            for _ in range(2):
                for at in range(0, count, 100):  # what the buffers on the way hold
                    some = sockets[at:at + 100]
                    for each in some:
                        each.sendto(question, self._to)
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        for each in some:
                            answers.setdefault(each.fileno(), []).append((await loop.sock_recvfrom(each, 65536))[0])
            moved = [each for each in answers.values() if each[0] != each[1]]
            if moved:
                raise Failure(f"{len(moved)} of {count} changed their target, the first: {moved[0]}")
        except TimeoutError:
            raise Failure(f"only {sum(map(len, answers.values()))} of {2 * count} answers came") from None
        finally:
            for each in sockets:
                each.close()

"""Client: one raw connection to a listener, with exact control of the bytes sent and a strict reader of the answers."""

import asyncio
import ssl

from kit import text, wire
from kit.failure import Failure
from kit.peer import Peer, reader_and_protocol

PATIENCE = 10.0  # seconds for anything that must come
AHEAD_BYTES = 16 << 20  # taken from the kernel before a step asks for them, so that an echo does not block its sender


class Client:
    def __init__(self, name: str, peer: Peer):
        self.name = name
        self.peer = peer
        self.methods: list[str] = []  # of requests whose final answer has not come
        self.sent = bytearray()

    @staticmethod
    async def connect(name: str, address: str, *, source: str = "", secure: ssl.SSLContext | None = None,
                      server_name: str = "") -> "Client":
        """secure: over TLS, where `server_name` is the name asked for and verified."""
        reader, protocol = reader_and_protocol(AHEAD_BYTES)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            if address.startswith("unix:"):
                transport, _ = await loop.create_unix_connection(lambda: protocol, address[5:])
            else:
                host, _, port = address.rpartition(":")
                transport, _ = await loop.create_connection(lambda: protocol, host.strip("[]"), int(port),
                                                            local_addr=(source, 0) if source else None,
                                                            ssl=secure, server_hostname=server_name if secure else None)
        return Client(name, Peer(reader, asyncio.StreamWriter(transport, protocol, reader, loop)))

    async def send(self, data: bytes, *, piece: int = 0, every: float = 0.0) -> None:
        self.sent += data[:4096]
        async with asyncio.timeout(120):
            await self.peer.send(data, piece=piece, every=every)

    async def request(self, message: text.Transcript) -> None:
        words = message.first.split(" ")
        first = message.first if message.exact else f"{message.first} HTTP/1.1"
        self.methods.append(words[0])
        framed = message.body is not None or message.body_size is not None
        await self.send(text.compose(message, first, [("Host", "example.test")], framed=framed))

    async def response(self, *, patience: float = PATIENCE) -> wire.Message:
        method = self.methods[0] if self.methods else "GET"
        try:
            async with asyncio.timeout(patience):
                message = await wire.read_response(self.peer.source, to_method=method)
        except TimeoutError:
            raise Failure(f"no complete response within {patience:g} s{self._came()}") from None
        except wire.Ended as ended:
            raise Failure(f"the connection ended ({ended.how}) before a response{self._came()}") from None
        if message.status >= 200 or message.status == 101:
            self.methods = self.methods[1:]
        return message

    async def receive(self, data: bytes) -> None:
        """Exactly these bytes come next, as behind an upgrade."""
        try:
            async with asyncio.timeout(PATIENCE * 3):
                got = await self.peer.source.exactly(len(data))
        except TimeoutError:
            got = self.peer.source.waiting()
        except wire.Ended as ended:
            got = ended.left
        if got != data:
            at = next((n for n, (a, b) in enumerate(zip(got, data)) if a != b), min(len(got), len(data)))
            raise Failure(f"received {len(got)} bytes, wanted {len(data)}; they differ from byte {at}: "
                          f"{got[at:at + 60]!r} instead of {data[at:at + 60]!r}")

    async def end(self, *, patience: float = PATIENCE) -> str:
        """How the connection ends, "fin" or "reset"; a Failure when it does not or when more bytes come."""
        try:
            async with asyncio.timeout(patience):
                data = await self.peer.source.some(wire.READ_SIZE)
        except TimeoutError:
            raise Failure(f"the connection is still open after {patience:g} s") from None
        except wire.Ended as ended:
            return ended.how
        raise Failure(f"expected the end of the connection, got {data[:200]!r}")

    async def silence(self, pause: float) -> None:
        """Neither a byte nor an end within the time."""
        try:
            async with asyncio.timeout(pause):
                data = await self.peer.source.some(wire.READ_SIZE)
        except TimeoutError:
            return
        except wire.Ended as ended:
            raise Failure(f"the connection ended ({ended.how})") from None
        raise Failure(f"expected nothing, got {data[:200]!r}")

    def _came(self) -> str:
        waiting = self.peer.source.waiting()
        return f"; {waiting[:300]!r} had come" if waiting else "; nothing had come"


def check_response(wanted: text.Transcript, got: wire.Message) -> None:
    """A Failure that shows the whole response where it is not the wanted one."""
    problems = []
    status, _, reason = wanted.first.partition(" ")
    if not text.matches(status.replace("x", "*"), str(got.status)) or reason and reason != got.first[1]:
        problems.append(f"status {' '.join(got.first)}, wanted {wanted.first}")
    problems += _check_fields(wanted.fields, got.fields, "header")
    problems += _check_fields(wanted.trailers, got.trailers, "trailer")
    problems += [f"header {name} is there" for name in wanted.absent if got.fields.get(name) is not None]
    problems += check_body(wanted, got)
    if problems:
        raise Failure("; ".join(problems) + "\n--- the response was\n" + got.describe())


def check_request(wanted: text.Transcript, got: wire.Message) -> None:
    problems = []
    first = f"{got.method} {got.target}" + (f" HTTP/{got.version}" if wanted.exact else "")
    if not text.matches(wanted.first, first):
        problems.append(f"request {first}, wanted {wanted.first}")
    problems += _check_fields(wanted.fields, got.fields, "header")
    problems += _check_fields(wanted.trailers, got.trailers, "trailer")
    problems += [f"header {name} is there" for name in wanted.absent if got.fields.get(name) is not None]
    problems += check_body(wanted, got)
    if problems:
        raise Failure("; ".join(problems) + "\n--- the request was\n" + got.describe())


def _check_fields(wanted: list[tuple[str, str]], got: wire.Fields, kind: str) -> list[str]:
    problems = []
    for name, pattern in wanted:
        values = got.all(name)
        if not values:
            problems.append(f"no {kind} {name}, wanted {pattern}")
        elif not any(text.matches(pattern, value) for value in values):
            problems.append(f"{kind} {name} is {', '.join(values)}, wanted {pattern}")
    return problems


def check_body(wanted: text.Transcript, got: wire.Message) -> list[str]:
    if wanted.cut:
        return ["the body is complete, wanted it cut"] if got.complete else []
    if not got.complete:
        return [f"the body was cut by {got.cut_by} after {len(got.body)} bytes"]
    if wanted.body_size is not None:
        data = text.pattern_bytes(wanted.body_size)
        return [] if got.body == data else [f"a body of {len(got.body)} bytes, wanted {wanted.body_size}, or other bytes"]
    if wanted.body is not None:
        pattern = "\n".join(wanted.body)
        if not text.matches(pattern, got.body.decode("utf-8", "replace").removesuffix("\n")):
            return [f"body {got.body[:300]!r}, wanted {pattern!r}"]
    return []

"""Load: an open-model load generator. Requests start at their scheduled times whether or not earlier ones were answered.

Part of them goes over kept-alive connections, part over new ones; part are POSTs with an id each, so that the targets'
journals tell of doubled ones. A failure is counted by its cause, with the request it hit. Tunnel is one WebSocket that
echoes all the while.
"""

import asyncio
import collections
import contextlib
import dataclasses
import random
import time

from kit import text, wire
from kit.client import Client
from kit.failure import Failure, Violation

PATIENCE = 15.0  # seconds for an answer; longer counts as a failure
IDLE_MAX = 64    # kept connections; more than are ever in flight at the rates used here


@dataclasses.dataclass(frozen=True)
class Mix:
    rate: float = 200.0            # requests a second
    post_share: float = 0.3
    new_connection_share: float = 0.2
    paths: tuple[str, ...] = ("/",)
    body_bytes: int = 64           # of a POST


@dataclasses.dataclass(frozen=True)
class Lost:
    """A request that was not answered with 2xx."""

    identity: str
    method: str
    path: str
    cause: str
    connected: float  # monotonic seconds, of its connection's beginning
    at: float         # of its end


class Load:
    def __init__(self, address: str, mix: Mix, *, seed: int = 1):
        self._address, self._mix = address, mix
        self._random = random.Random(seed)
        self._idle: list[Client] = []
        self._made: dict[Client, float] = {}  # when; of all that are open
        self._tasks: set[asyncio.Task] = set()
        self.sent = 0
        self.answered: collections.Counter[str] = collections.Counter()  # by method
        self.posts_answered: set[str] = set()
        self._connected: dict[str, float] = {}  # of those in flight, when their connections were made
        self.posts_in_flight: set[str] = set()
        self.lost: list[Lost] = []
        self.seconds: list[float] = []  # of answered requests
        self.reconnects = 0             # kept connections that had ended in order before they were used again

    async def run(self, seconds: float) -> None:
        start = time.monotonic()
        while (due := start + self.sent / self._mix.rate) < start + seconds:
            pause = due - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            task = asyncio.create_task(self._one(f"{self.sent}-{self._random.getrandbits(40):x}"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self.sent += 1
        await asyncio.gather(*self._tasks)
        for client in self._idle:
            await client.peer.close()

    async def _one(self, identity: str) -> None:
        is_post = self._random.random() < self._mix.post_share
        fresh = self._random.random() < self._mix.new_connection_share
        method, path = "POST" if is_post else "GET", self._random.choice(self._mix.paths)
        start = time.monotonic()
        self._connected[identity] = start
        if is_post:
            self.posts_in_flight.add(identity)
        try:
            async with asyncio.timeout(PATIENCE):
                cause = await self._exchange(method, path, identity, fresh=fresh)
        except (Failure, Violation, OSError, TimeoutError) as error:
            cause = f"{type(error).__name__}: {error}"[:200]
        connected = self._connected.pop(identity)
        self.posts_in_flight.discard(identity)
        if cause:
            self.lost.append(Lost(identity, method, path, cause, connected, time.monotonic()))
            return
        self.answered[method] += 1
        if is_post:
            self.posts_answered.add(identity)
        self.seconds.append(time.monotonic() - start)

    async def _exchange(self, method: str, path: str, identity: str, *, fresh: bool) -> str:
        """The cause of a failure, or nothing."""
        client = None if fresh else await self._kept()
        if client is None:
            client = await Client.connect("load", self._address)
            self._made[client] = self._connected[identity]
        self._connected[identity] = self._made[client]
        body = (identity + " ").ljust(self._mix.body_bytes, ".")
        rows = [f"{method} {path}", f"X-Id: {identity}", f"X-Request-Id: {identity}"] + (["Connection: close"] if fresh else [])
        good = False
        try:
            await client.request(text.transcript(rows + (["", body] if method == "POST" else [])))
            got = await client.response(patience=PATIENCE)
            good = got.complete and 200 <= got.status < 300
            if not got.complete:
                return f"the body was cut ({got.cut_by})"
            if not good:
                return f"status {got.status}"
            if method == "POST" and got.body != body.encode():
                return "another body came back"
            if not fresh and "close" in got.fields.tokens("connection"):
                good = False  # in order: the proxy asks for a new connection
            return ""
        finally:
            if good and not fresh and len(self._idle) < IDLE_MAX:
                self._idle.append(client)
            else:
                del self._made[client]
                await client.peer.close()

    async def _kept(self) -> Client | None:
        while self._idle:
            client = self._idle.pop()
            if not await _ended(client):
                return client
            self.reconnects += 1
            del self._made[client]
            await client.peer.close()
        return None

    def quantile_ms(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else 0.0

    def causes(self) -> collections.Counter[str]:
        return collections.Counter(f"{each.method} {each.cause}" for each in self.lost)


async def _ended(client: Client) -> bool:
    """Whether the peer has already closed a connection at rest, as far as this side can know."""
    try:
        async with asyncio.timeout(0):
            await client.peer.source.fill()
    except TimeoutError:
        return client.peer.writer.is_closing()
    except wire.Ended:
        return True
    return True  # bytes that nobody asked for: not to be used either


class Tunnel:
    """One WebSocket through the proxy, whose every message must come back."""

    def __init__(self, address: str, path: str, *, every: float = 0.05):
        self._address, self._path, self._every = address, path, every
        self.echoes = 0
        self.longest_ms = 0.0
        self.broken = ""

    async def run(self) -> None:
        """Until cancelled, or broken."""
        try:
            client = await Client.connect("tunnel", self._address)
            await client.request(text.transcript([f"GET {self._path}", "Connection: Upgrade", "Upgrade: websocket",
                                                  "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
            answer = await client.response()
            if answer.status != 101:
                raise Failure(f"the upgrade was answered with {answer.status}")
            while True:
                start = time.monotonic()
                message = b"message %d;" % self.echoes
                await client.send(message)
                await client.receive(message)
                self.echoes += 1
                self.longest_ms = max(self.longest_ms, (time.monotonic() - start) * 1000)
                await asyncio.sleep(self._every)
        except asyncio.CancelledError:
            with contextlib.suppress(UnboundLocalError):
                await client.peer.close()
            raise
        except (Failure, Violation, OSError, TimeoutError) as error:
            self.broken = f"after {self.echoes} echoes: {error}"

#!/usr/bin/env python3
"""HTTP/2 connections to targets that end with many requests under way, and what becomes of each of these.

    tests/real/http2_cuts.py --ballast build/test/ballast

The targets are scripts: they take as many requests as a case wants, and only then something happens.
"""

import argparse
import asyncio
import collections
import contextlib
import enum
import pathlib
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.ballast import Ballast, complete_config  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.http2 import (ACK, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, SETTINGS, block, data, frame, headers,  # noqa: E402
                       rst_stream, settings)
from kit.peer import Peer, Server  # noqa: E402
from kit.wire import Ended  # noqa: E402

PATIENCE = 20.0
REFUSED_STREAM = 7
# More than there are connections to a target, and fewer than a connection has streams.
MANY = 90


class Does(enum.Enum):
    """What a target does with a request."""
    ANSWER = "answers"
    HOLD = "holds it"
    CUT = "has begun to speak, and cuts the connection"
    # As the kernel does with what nobody has accepted when a server is killed.
    CUT_UNSEEN = "cuts the connection without a byte"


class Target:
    def __init__(self, name: str):
        self.name = name
        self.does = Does.ANSWER
        self.connections = 0
        self.requests = 0
        self._held: list[tuple[Peer, int]] = []
        self._news = asyncio.Event()
        self.server = Server(self._serve)

    async def _serve(self, peer: Peer) -> None:
        self.connections += 1
        source = peer.source
        with contextlib.suppress(Ended):
            if self.does == Does.CUT_UNSEEN:
                await source.exactly(len(PREFACE))
                return peer.reset()
            await peer.send(settings())
            await source.exactly(len(PREFACE))
            while True:
                head = await source.exactly(9)
                payload = await source.exactly(int.from_bytes(head[:3], "big"))
                await self._take(peer, head[3], head[4], int.from_bytes(head[5:], "big"), payload)

    async def _take(self, peer: Peer, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            await peer.send(frame(SETTINGS, ACK))
        if kind == PING and not flags & ACK:
            await peer.send(frame(PING, ACK, 0, payload))
        if kind != HEADERS:
            return
        self.requests += 1
        if self.does == Does.CUT:
            peer.reset()
        else:
            self._held.append((peer, stream))
            if self.does == Does.ANSWER:
                await self.answer()
        self._news.set()

    async def until_asked(self, count: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while self.requests < count:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise Failure(f"target {self.name} was asked {self.requests} times, not {count}") from None

    async def answer(self) -> None:
        """What it holds, and what comes."""
        self.does = Does.ANSWER
        while self._held:
            await self.answer_one()

    async def answer_one(self) -> None:
        peer, stream = self._held.pop(0)
        fields = block((":status", "200"), ("content-length", str(len(self.name))))
        await peer.send(headers(stream, fields, END_HEADERS) + data(stream, self.name.encode(), END_STREAM))

    async def refuse(self) -> None:
        """Says that it has not looked at what it holds; what comes is answered."""
        self.does = Does.ANSWER
        held = self._end_held()
        need(len({peer for peer, _ in held}) == 1, "it was asked on several connections")
        # At once, as a GOAWAY would: what is refused later finds a connection that has answered meanwhile, and makes a third.
        await held[0][0].send(b"".join(rst_stream(stream, REFUSED_STREAM) for _, stream in held))

    async def cut(self, then: Does) -> None:
        self.does = then
        for peer in {peer for peer, _ in self._end_held()}:
            peer.reset()

    async def leave(self) -> None:
        """As one that was killed: nobody listens any more."""
        self._end_held()
        await self.server.stop()

    def _end_held(self) -> list[tuple[Peer, int]]:
        held, self._held = self._held, []
        return held


class Group:
    """Ballast before two targets, one of which is asked first: by a hash of the client's address."""

    def __init__(self, binary: str, folder: pathlib.Path):
        folder.mkdir()
        self.folder = folder
        self.ballast = Ballast(binary, folder)
        self.first, self.other = Target("a"), Target("b")
        self.address = ""

    async def __aenter__(self) -> "Group":
        await self.first.server.start()
        await self.other.server.start()
        config = self.folder / "ballast.yaml"
        config.write_text(complete_config(f"""
workers: 1
listeners: {{ web: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: site }} }} }}
target_groups:
  site:
    protocol: h2c
    health_check: off
    algorithm: source_hash
    retries: {{ attempts: 2 }}
    targets: [ "{self.first.server.address}", "{self.other.server.address}" ]
""", self.folder, admin_http=self.ballast.admin_http))
        await self.ballast.start(config)
        self.address = (await self.ballast.listeners())["web"]
        # The connection has answered: one that dies now may have been at rest.
        if await self.ask("GET") != "200 a":
            self.first, self.other = self.other, self.first
        return self

    async def __aexit__(self, *_) -> None:
        try:
            await self.ballast.stop()
        finally:
            for target in (self.first, self.other):
                await target.server.stop()

    async def ask(self, method: str) -> str:
        """A request on a connection of its own: "STATUS BODY", without the body where the status is ours."""
        host, _, port = self.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"{method} / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
            said = (await asyncio.wait_for(reader.read(), PATIENCE)).decode()
        finally:
            writer.close()
        head, _, body = said.partition("\r\n\r\n")
        status = head.split(" ")[1] if " " in head else "cut"
        return f"{status} {body}" if status == "200" else status

    async def hold(self, count: int, method: str = "GET") -> list[asyncio.Task]:
        """So many requests on the one connection to the first target, none of them answered."""
        self.first.does = Does.HOLD
        asked = self.first.requests
        tasks = [asyncio.create_task(self.ask(method)) for _ in range(count)]
        await self.first.until_asked(asked + count)
        need(self.first.connections == 1, f"{self.first.connections} connections for {count} requests")
        return tasks

    async def counted(self, name: str) -> int:
        page = await asyncio.to_thread(read, f"http://{self.ballast.admin_http}/metrics")
        return int(next(line.split()[1] for line in page.splitlines() if line.startswith(f'ballast_group_{name}{{group="site"}}')))


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE) as page:
        return page.read().decode()


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


async def came(tasks: list[asyncio.Task], wanted: dict[str, int]) -> None:
    said = collections.Counter(await asyncio.gather(*tasks))
    need(said == wanted, f"{dict(said)} was answered, wanted {wanted}")


async def killed(group: Group) -> None:
    """Nobody listens any more: each request goes to the other target, however many they are."""
    tasks = await group.hold(MANY)
    await group.first.leave()
    await came(tasks, {f"200 {group.other.name}": MANY})
    need(await group.counted("stale_connection_replays_total") == MANY, "not all were asked again at the first target")
    need(await group.counted("retries_refused_total") == 0, "the budget was asked")


async def killed_while_connecting(group: Group) -> None:
    """The kernel still takes a connection for a server that has gone, and cuts it then."""
    tasks = await group.hold(MANY)
    await group.first.cut(Does.CUT_UNSEEN)
    await came(tasks, {f"200 {group.other.name}": MANY})
    need(await group.counted("retries_refused_total") == 0, "the budget was asked")


async def cut(group: Group) -> None:
    """The target is well: all go to it again, together on one connection."""
    tasks = await group.hold(MANY)
    await group.first.cut(Does.ANSWER)
    await came(tasks, {f"200 {group.first.name}": MANY})
    need(group.first.connections == 2, f"{group.first.connections} connections, wanted 2")
    need(group.other.requests == 0, "the other target was asked")


async def refused(group: Group) -> None:
    """Not looked at: even what may change something is asked again."""
    tasks = await group.hold(MANY, "POST")
    await group.first.refuse()
    await came(tasks, {f"200 {group.first.name}": MANY})
    need(group.first.connections == 2, f"{group.first.connections} connections, wanted 2")


async def crashes(group: Group) -> None:
    """It dies of what it is asked: the budget keeps most from the other target, and a replay is made once."""
    count = 10
    tasks = await group.hold(count)
    group.other.does = Does.HOLD
    await group.first.cut(Does.CUT)
    await group.other.until_asked(3)
    done, waiting = await asyncio.wait(tasks, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < count - 3 and waiting:
        more, waiting = await asyncio.wait(waiting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        need(bool(more), f"only {len(done)} were given up")
        done |= more
    need(group.other.requests == 3, f"the other target was asked {group.other.requests} times")
    await group.other.answer()
    await came(tasks, {"502": count - 3, f"200 {group.other.name}": 3})
    need(await group.counted("retries_refused_total") == count - 3, "the budget was not asked")


async def replayed_once(group: Group) -> None:
    """A new connection that has answered another request is no old one: the second time the other target is asked."""
    tasks = await group.hold(2)
    asked = group.first.requests
    await group.first.cut(Does.HOLD)
    await group.first.until_asked(asked + 2)
    await group.first.answer_one()
    await asyncio.wait(tasks, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    await group.first.cut(Does.ANSWER)
    await came(tasks, {f"200 {group.first.name}": 1, f"200 {group.other.name}": 1})
    need(group.first.requests == asked + 2, "a request was replayed twice")


async def changes_something(group: Group) -> None:
    """What may have been acted upon is never sent twice."""
    tasks = await group.hold(MANY, "POST")
    asked = group.first.requests
    await group.first.cut(Does.ANSWER)
    await came(tasks, {"502": MANY})
    need(group.first.requests == asked and group.other.requests == 0, "a POST was sent twice")


CASES = (killed, killed_while_connecting, cut, refused, crashes, replayed_once, changes_something)


async def check(binary: str, folder: pathlib.Path) -> list[str]:
    problems = []
    for case in CASES:
        try:
            async with Group(binary, folder / case.__name__) as group:
                await case(group)
        except Failure as failure:
            problems.append(f"{case.__name__}: {failure}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description="HTTP/2 connections to targets that end.")
    parser.add_argument("--ballast", required=True)
    binary = str(pathlib.Path(parser.parse_args().ballast).resolve())
    with tempfile.TemporaryDirectory(prefix="ballast-h2-cuts-") as folder:
        problems = asyncio.run(check(binary, pathlib.Path(folder)))
    for problem in problems:
        print(f"http2_cuts: {problem}", file=sys.stderr)
    if not problems:
        print(f"http2_cuts: {len(CASES)} ways in which a connection ends, and nothing lost that could be sent again")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

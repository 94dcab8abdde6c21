#!/usr/bin/env python3
"""Places at targets under a crowd: never more than `target_requests_max` at one, none lost, and nobody forgotten in a line.

    tests/real/waiting.py --ballast build/test/ballast

A hundred clients ask at once through three workers; some go away while they wait, some belong to a target by cookie, and
targets come and go. Then every place must still be there, and a queue that is long and short of time answers or refuses
each request.
"""

import argparse
import asyncio
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.ballast import Ballast, complete_config  # noqa: E402
from kit.failure import Failure  # noqa: E402

PLACES = 3
CLIENTS = 100
PATIENCE = 20.0  # seconds; the queue's timeout is 1


class Target:
    """Counts how many requests it has at once; GET /hold waits until it is let go."""

    def __init__(self):
        self.active = self.most = self.served = 0
        self.holding = 0
        self.going = asyncio.Event()
        self.address = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.active += 1
                self.most = max(self.most, self.active)
                try:
                    if head.startswith(b"GET /hold"):
                        self.holding += 1
                        await self.going.wait()
                        self.holding -= 1
                    else:
                        await asyncio.sleep(random.uniform(0.0, 0.015))
                finally:
                    self.active -= 1
                self.served += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class Crowd:
    def __init__(self, address: str):
        self._host, port = address.rsplit(":", 1)
        self._port = int(port)
        self.statuses: dict[int, int] = {}
        self.left = 0

    async def ask(self, path: str, *, cookie: str = "", leave_after: float | None = None) -> tuple[int, str]:
        """The status and the cookie that was set; (0, "") for who went away."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            extra = f"Cookie: {cookie}\r\n" if cookie else ""
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n{extra}Connection: close\r\n\r\n".encode())
            try:
                async with asyncio.timeout(leave_after or PATIENCE):
                    answer = (await reader.read()).decode()
            except TimeoutError:
                if leave_after is None:
                    raise Failure(f"no answer to {path} within {PATIENCE:g} s") from None
                self.left += 1
                return 0, ""
            if not answer.startswith("HTTP/1.1 "):
                raise Failure(f"{path} was answered with {answer[:80]!r}")
            status = int(answer[9:12])
            self.statuses[status] = self.statuses.get(status, 0) + 1
            cookies = [line[12:].split(";")[0] for line in answer.split("\r\n") if line.startswith("Set-Cookie: ")]
            return status, cookies[0] if cookies else ""
        finally:
            writer.close()

    async def client(self, until: float) -> None:
        cookie = ""
        while time.monotonic() < until:
            kind = random.random()
            if kind < 0.15:
                await self.ask("/left", leave_after=random.uniform(0.001, 0.05))
            elif kind < 0.5:
                cookie = (await self.ask("/belongs", cookie=cookie))[1] or cookie
            else:
                await self.ask("/")


def config(targets: list[Target]) -> str:
    return f"""
listeners: {{ web: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: site }} }} }}
target_groups:
  site:
    protocol: http
    health_check: off
    sticky: cookie
    target_requests_max: {PLACES}
    queue: {{ length: 80, timeout: 1s }}
    deregistration_delay: 30s
    targets: [ {", ".join(f'"{each.address}"' for each in targets)} ]
workers: 3
"""


async def change(ballast: Ballast, folder: pathlib.Path, targets: list[Target], until: float) -> None:
    """The third target comes and goes, another is drained and enabled."""
    number = 0
    while time.monotonic() < until:
        file = folder / "next.yaml"
        file.write_text(complete_config(config(targets[:2 + number % 2]), folder, admin_http=ballast.admin_http))
        for words in (("apply", str(file)), ("target", "drain", "site", targets[0].address),
                      ("target", "enable", "site", targets[0].address)):
            done = await ballast.command(*words)
            if done.exit != 0:
                raise Failure(done.describe())
        number += 1


async def check_places(crowd: Crowd, targets: list[Target]) -> None:
    """Each place is there: so many are held at once, and one more waits until its time is over."""
    asking = [asyncio.create_task(crowd.ask("/hold")) for _ in range(PLACES * len(targets))]
    async with asyncio.timeout(PATIENCE):
        while sum(each.holding for each in targets) < len(asking):
            for each in asking:
                if each.done():
                    raise Failure(f"of {len(asking)} places one is lost: {each.result()[0]}; held are {[t.holding for t in targets]}")
            await asyncio.sleep(0.01)
    status, _ = await crowd.ask("/one-more")
    if status != 503:
        raise Failure(f"one more than there are places for was answered with {status}")
    for each in targets:
        each.going.set()
    if any(status != 200 for status, _ in await asyncio.gather(*asking)):
        raise Failure("one that held its place was not answered")


async def measure(binary: str, folder: pathlib.Path, seconds: float) -> list[str]:
    targets = [Target(), Target(), Target()]
    for each in targets:
        await each.start()
    ballast = Ballast(binary, folder)
    file = folder / "ballast.yaml"
    file.write_text(complete_config(config(targets), folder, admin_http=ballast.admin_http))
    try:
        await ballast.start(file)
        crowd = Crowd((await ballast.listeners())["web"])
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as all_of_it:
            all_of_it.create_task(change(ballast, folder, targets, until))
            for _ in range(CLIENTS):
                all_of_it.create_task(crowd.client(until))
        file.write_text(complete_config(config(targets), folder, admin_http=ballast.admin_http))
        done = await ballast.command("apply", str(file))
        if done.exit != 0:
            raise Failure(done.describe())
        await check_places(crowd, targets)
        group = (await ballast.status())["groups"][0]
        await ballast.stop()
    except BaseException:
        print(ballast.stderr()[-8000:], file=sys.stderr)
        raise
    finally:
        ballast.kill()
    print(f"{sum(crowd.statuses.values())} answers {crowd.statuses}, {crowd.left} went away, {group['queued']} had waited, "
          f"at once at a target at most {max(each.most for each in targets)}")
    problems = []
    if any(each.most > PLACES for each in targets):
        problems.append(f"targets had {[each.most for each in targets]} requests at once, and {PLACES} places")
    if set(crowd.statuses) - {200, 503}:
        problems.append(f"statuses: {crowd.statuses}")
    if group["waiting"] != 0:
        problems.append(f"{group['waiting']} are said to wait, and nobody is there")
    if not group["queued"] or not crowd.left:
        problems.append("nobody has waited, or nobody has gone away: it measured nothing")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ballast", default="build/test/ballast", help="the binary")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="ballast-queue-") as folder:
        try:
            problems = asyncio.run(measure(str(pathlib.Path(arguments.ballast).resolve()), pathlib.Path(folder), arguments.seconds))
        except* (Failure, TimeoutError, OSError) as group:
            problems = sorted({str(each) or type(each).__name__ for each in group.exceptions})[:5]
    for problem in problems:
        print(f"seed {arguments.seed}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

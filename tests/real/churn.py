#!/usr/bin/env python3
"""Churn: nothing that can safely be replayed is lost while everything changes.

Under an open-model load (kept and new connections, GET and POST, one WebSocket tunnel) it applies two configurations in
turn, kills targets with SIGKILL and starts them again, drains and enables, changes a DNS answer, and replaces the program
by another file of it. A part of the requests goes to targets that end connections at rest after times that nobody can
know, by FIN and by RST, and to a gray one. Required: no failed request, no doubled POST, the tunnel alive, and less for the
gray target. A POST in flight on a target at the moment of its kill cannot be replayed safely by anyone; nor can one that
crosses the end of its connection. Such failures are counted on their own.

--crashes: the serving process is killed with SIGKILL so many times; what is asked on connections that it had is lost with
it and counted on its own, and so is the tunnel, which is made anew. New connections must be served all the same.

    tests/real/churn.py --ballast build/release/ballast --seconds 60
    tests/real/churn.py --proxy nginx            # the same with reloads, for the record; no verdict
"""

import argparse
import asyncio
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import text  # noqa: E402
from kit.client import Client  # noqa: E402
from kit.dns import Answer, DnsServer  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.load import Load, Mix, Tunnel  # noqa: E402
from kit.target_process import TargetProcess, journal_counts  # noqa: E402
from real.proxies import BallastProxy, HaproxyProxy, NginxProxy, Targets  # noqa: E402

RESTART_SECONDS = 0.3  # a killed target stays away for that long, as a supervisor's restart takes
SETTLE_SECONDS = 2.0   # load before the first change and after the last
PATHS = ("/", "/", "/", "/named", "/odd")
ODD_POST_SHARE = 1 / len(PATHS) * Mix.post_share
CROSSED_SHARE_MAX = 0.05  # more, and the balancer does not learn when connections end
GRAY_WEIGHT_MAX = 0.5  # after some intervals of comparison, which one process needs so long for:
GRAY_SECONDS = 10.0


class Churn:
    """The changes; each kind has its own pace through the whole time."""

    def __init__(self, proxy, targets: Targets, dns: DnsServer, load: Load, *, seconds: float, applies: int, upgrades: int, crashes: int):
        self._proxy, self._targets, self._dns, self._load = proxy, targets, dns, load
        self._seconds = seconds
        self._wanted_applies = applies
        self._wanted_upgrades, self._wanted_crashes = upgrades, crashes
        self._random = random.Random(7)
        self._stop_at = 0.0
        self.applies = self.kills = self.drains = self.dns_changes = self.upgrades = self.crashes = 0
        self.hit: set[str] = set()      # POSTs in flight at a kill of a target
        self.crashed_at: list[float] = []  # kills of the proxy
        self.back_ms: list[float] = []  # from such a kill to the next process that serves

    async def run(self) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        self._stop_at = time.monotonic() + self._seconds - 2 * SETTLE_SECONDS
        async with asyncio.TaskGroup() as changes:
            changes.create_task(self._apply())
            changes.create_task(self._kill())
            if self._proxy.can_upgrade:
                changes.create_task(self._replace())
            if self._proxy.can_drain:
                changes.create_task(self._drain())
            if self._proxy.has_dns:
                changes.create_task(self._rename())

    async def _apply(self) -> None:
        start = time.monotonic()
        pace = (self._stop_at - start) / self._wanted_applies
        while self.applies < self._wanted_applies:
            await self._proxy.switch()
            self.applies += 1
            await asyncio.sleep(max(0.0, start + self.applies * pace - time.monotonic()))

    async def _replace(self) -> None:
        """Upgrades and crashes in turn, evenly over the time."""
        wanted = ["upgrade"] * self._wanted_upgrades + ["crash"] * self._wanted_crashes
        self._random.shuffle(wanted)
        start = time.monotonic()
        pace = (self._stop_at - start) / max(1, len(wanted))
        for number, kind in enumerate(wanted):
            if kind == "upgrade":
                self.upgrades += await self._proxy.upgrade()
            else:
                await self._crash()
            await asyncio.sleep(max(0.0, start + (number + 1) * pace - time.monotonic()))

    async def _crash(self) -> None:
        before = self._proxy.kill()
        began = time.monotonic()
        self.crashed_at.append(began)
        client = await Client.connect("after the crash", self._proxy.address)
        await client.request(text.transcript(["GET /", "Connection: close"]))
        answer = await client.response()
        self.back_ms.append((time.monotonic() - began) * 1000)
        await client.peer.close()
        if answer.status != 200:
            raise Failure(f"the first request after a crash was answered with {answer.status}")
        await self._proxy.back(before)
        self.crashes += 1

    async def _kill(self) -> None:
        pause = (self._stop_at - time.monotonic()) / (2 * len(self._targets.site)) - RESTART_SECONDS
        while time.monotonic() < self._stop_at:
            for target in self._targets.site:
                if time.monotonic() >= self._stop_at:
                    return
                await self._kill_one(target)
                await asyncio.sleep(max(pause, 0.2))

    async def _kill_one(self, target: TargetProcess) -> None:
        self.hit |= self._load.posts_in_flight
        killing = asyncio.create_task(target.kill())
        while not killing.done():
            self.hit |= self._load.posts_in_flight
            await asyncio.sleep(0)
        await killing
        self.hit |= self._load.posts_in_flight
        self.kills += 1
        await asyncio.sleep(RESTART_SECONDS)
        await target.start()

    async def _drain(self) -> None:
        """Of the targets that are in both configurations, so that the command always has its target."""
        while time.monotonic() < self._stop_at:
            target = self._random.choice(self._targets.site[:3])
            await self._proxy.drain(target)
            await asyncio.sleep(0.5)
            await self._proxy.enable(target)
            self.drains += 1
            await asyncio.sleep(0.5)

    async def _rename(self) -> None:
        while time.monotonic() < self._stop_at:
            for addresses in (["127.0.0.2"], [], ["127.0.0.1", "127.0.0.2"], ["127.0.0.1"]):
                self._dns.names["app.test"] = Answer(addresses)
                self.dns_changes += 1
                await asyncio.sleep(1.3)


class Result:
    def __init__(self, name: str, seconds: float, churn: Churn, load: Load, tunnel: Tunnel, targets: Targets, gray_weight: float | None):
        self.gray_weight = gray_weight  # what the gray target had left in the end, where the proxy looks at that
        acted = journal_counts(targets.all())
        self.name, self.seconds, self.churn, self.load, self.tunnel = name, seconds, churn, load, tunnel
        # On connections that the killed process had.
        self.crashed = [each for each in load.lost if any(each.connected <= kill <= each.at for kill in churn.crashed_at)]
        rest = [each for each in load.lost if each not in self.crashed]
        self.excused = [each for each in rest if each.method == "POST" and each.identity in churn.hit]
        # Sent while the target was ending the connection: nobody can know whether it was read.
        self.crossed = [each for each in rest if each.method == "POST" and each.path == "/odd" and each.cause in ("status 502", "status 504")]
        self.lost = [each for each in rest if each not in self.excused and each not in self.crossed]
        self.doubled = [identity for identity, count in acted.items() if count > 1]
        self.invented = [identity for identity in load.posts_answered if not acted[identity]]

    def problems(self) -> list[str]:
        problems = []
        if self.lost:
            causes = "; ".join(f"{count} x {cause}" for cause, count in self.load.causes().most_common(8))
            problems.append(f"{len(self.lost)} requests lost: {causes}")
        odd_posts = self.load.sent * ODD_POST_SHARE
        if len(self.crossed) > CROSSED_SHARE_MAX * odd_posts:
            problems.append(f"of about {odd_posts:.0f} POSTs to targets that end connections, {len(self.crossed)} crossed that end")
        if self.doubled:
            problems.append(f"{len(self.doubled)} POSTs reached targets twice: {', '.join(self.doubled[:5])}")
        if self.invented:
            problems.append(f"{len(self.invented)} POSTs were answered 200 and reached no target")
        if self.tunnel.broken:
            problems.append(f"the tunnel broke {self.tunnel.broken}")
        # Each process compares anew: with one every second or two there is not the time for it.
        replaced = self.churn.upgrades + self.churn.crashes
        if self.gray_weight is not None and replaced * GRAY_SECONDS < self.seconds and self.gray_weight > GRAY_WEIGHT_MAX:
            problems.append(f"the gray target had {self.gray_weight:g} of its weight in the end")
        if not self.tunnel.echoes:
            problems.append("the tunnel carried nothing")
        return problems

    def row(self) -> str:
        """For bench/RESULTS.md."""
        load, churn = self.load, self.churn
        gets = sum(1 for each in self.lost if each.method == "GET")
        tunnel = f"broken {self.tunnel.broken}" if self.tunnel.broken else f"alive, {self.tunnel.echoes} echoes"
        back = f", back within {max(churn.back_ms):.0f} ms" if churn.back_ms else ""
        cells = [self.name, f"{self.seconds:g}", load.sent, churn.applies, churn.kills, churn.drains, churn.dns_changes, churn.upgrades,
                 f"{churn.crashes}{back}", gets, len(self.lost) - gets, len(self.excused), len(self.crossed), len(self.crashed), len(self.doubled), tunnel, load.reconnects,
                 "-" if self.gray_weight is None else f"{self.gray_weight:g}", f"{load.quantile_ms(0.5):.1f}", f"{load.quantile_ms(0.99):.1f}"]
        return "| " + " | ".join(map(str, cells)) + " |"


HEADER = """| proxy | seconds | requests | reloads | kill -9 | drains | DNS changes | upgrades | crashes | GET lost | POST lost \
| POST in flight at a kill, lost | POST that crossed the end of its connection | lost with a crash | POST doubled | tunnel | client reconnects | gray target's weight | p50 ms | p99 ms |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


async def talk(tunnel: Tunnel, *, again: int) -> None:
    """It may break so often."""
    await tunnel.run()
    for _ in range(again):
        tunnel.broken = ""
        await tunnel.run()


async def measure(arguments: argparse.Namespace, folder: pathlib.Path) -> Result:
    targets, dns = Targets(folder), DnsServer()
    await dns.start()
    dns.names["app.test"] = Answer(["127.0.0.1"])
    proxy = {"ballast": lambda: BallastProxy(arguments.ballast, folder, targets, dns.address),
             "nginx": lambda: NginxProxy(folder, targets), "haproxy": lambda: HaproxyProxy(folder, targets)}[arguments.proxy]()
    try:
        await asyncio.gather(*(each.start() for each in targets.all()))
        await proxy.start()
        load = Load(proxy.address, Mix(rate=arguments.rate, paths=PATHS))
        tunnel = Tunnel(proxy.address, "/chat")
        talking = asyncio.create_task(talk(tunnel, again=arguments.crashes))
        churn = Churn(proxy, targets, dns, load, seconds=arguments.seconds, applies=arguments.applies, upgrades=arguments.upgrades,
                      crashes=arguments.crashes)
        async with asyncio.TaskGroup() as both:
            both.create_task(load.run(arguments.seconds))
            both.create_task(churn.run())
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        gray_weight = await proxy.gray_weight() if arguments.proxy == "ballast" else None
        await proxy.stop()
        result = Result(arguments.proxy, arguments.seconds, churn, load, tunnel, targets, gray_weight)
        if arguments.proxy == "ballast" and result.lost:
            print(*proxy.tell({each.identity for each in result.lost}), proxy.ballast.stderr()[-20000:], sep="\n", file=sys.stderr)
        return result
    except (Failure, ExceptionGroup):
        if arguments.proxy == "ballast":
            print(proxy.ballast.stderr()[-20000:], file=sys.stderr)
        raise
    finally:
        await asyncio.gather(*(each.stop() for each in targets.all()))
        await dns.stop()
        if arguments.proxy == "ballast":
            proxy.ballast.kill()


def single(failure: Exception) -> list[Exception]:
    """What is in a group of groups."""
    return [one for each in failure.exceptions for one in single(each)] if isinstance(failure, ExceptionGroup) else [failure]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proxy", choices=("ballast", "nginx", "haproxy"), default="ballast")
    parser.add_argument("--ballast", default="build/release/ballast", help="the binary")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--applies", type=int, default=100)
    parser.add_argument("--upgrades", type=int, default=20)
    parser.add_argument("--crashes", type=int, default=0, help="kill -9 of the process that serves")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    arguments = parser.parse_args()
    arguments.ballast = str(pathlib.Path(arguments.ballast).resolve())
    with tempfile.TemporaryDirectory(prefix="ballast-churn-") as folder:
        try:
            result = asyncio.run(measure(arguments, pathlib.Path(folder)))
        except (Failure, ExceptionGroup) as failure:
            for each in single(failure):
                print(f"{type(each).__name__}: {each}", file=sys.stderr)
            return 1
    print(HEADER, result.row(), sep="\n")
    if arguments.proxy != "ballast":
        causes = "; ".join(f"{count} x {cause}" for cause, count in result.load.causes().most_common(8))
        print(f"for the record: {causes or 'nothing lost'}", file=sys.stderr)
        return 0
    for problem in result.problems():
        print(problem, file=sys.stderr)
    return 1 if result.problems() else 0


if __name__ == "__main__":
    sys.exit(main())

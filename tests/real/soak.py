#!/usr/bin/env python3
"""Soak: under a steady mixed load memory and descriptors stay flat.

Resident memory and open descriptors are sampled through /proc once a second. After a warm-up (a fifth of the time) a
straight line is fitted through the samples; a slope that would grow memory by more than 5 % or 4 MiB, or descriptors by
more than 8, over the rest of the time is a failure. So is a request that was lost.

    tests/real/soak.py --ballast build/release/ballast --seconds 600
"""

import argparse
import asyncio
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.ballast import Ballast, complete_config  # noqa: E402
from kit.client import Client  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.load import Load, Mix, Tunnel  # noqa: E402
from kit.target_process import TargetProcess  # noqa: E402

WARM_UP_SHARE = 0.2          # pools, allocator arenas and histograms reach their size in it
MEMORY_GROWTH_SHARE = 0.05
MEMORY_GROWTH_BYTES = 4 << 20
DESCRIPTOR_GROWTH = 8        # connections in flight differ between two samples

CONFIG = """
listeners:
  web: {{ address: "127.0.0.1:0", protocol: http, rules: [ {{ match: {{ path: /chat }}, forward: chat }} ], default: {{ forward: site }} }}
target_groups:
  site: {{ protocol: http, health_check: {{ interval: 500ms, timeout: 2s }}, targets: [ {site} ] }}
  chat: {{ protocol: http, health_check: off, targets: [ {chat} ] }}
"""


class Samples:
    """Resident bytes and open descriptors of a process over time."""

    def __init__(self, pid: int):
        self._pid = pid
        self.times: list[float] = []
        self.memory: list[float] = []
        self.descriptors: list[float] = []

    async def run(self) -> None:
        while True:
            status = pathlib.Path(f"/proc/{self._pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
            self.times.append(time.monotonic())
            self.memory.append(int(resident.split()[1]) * 1024)
            self.descriptors.append(len(list(pathlib.Path(f"/proc/{self._pid}/fd").iterdir())))
            await asyncio.sleep(1)

    def growth(self, values: list[float]) -> float:
        """By the fitted line, from the end of the warm-up to the last sample."""
        first = int(len(values) * WARM_UP_SHARE)
        times, values = self.times[first:], values[first:]
        middle_time, middle = sum(times) / len(times), sum(values) / len(values)
        spread = sum((at - middle_time) ** 2 for at in times)
        slope = sum((at - middle_time) * (value - middle) for at, value in zip(times, values)) / spread
        return slope * (times[-1] - times[0])

    def problems(self) -> list[str]:
        memory, descriptors = self.growth(self.memory), self.growth(self.descriptors)
        bound = max(MEMORY_GROWTH_BYTES, MEMORY_GROWTH_SHARE * self.memory[-1])
        problems = []
        if memory > bound:
            problems.append(f"memory grew by {memory / (1 << 20):.1f} MiB (bound {bound / (1 << 20):.1f}) to "
                            f"{self.memory[-1] / (1 << 20):.1f} MiB")
        if descriptors > DESCRIPTOR_GROWTH:
            problems.append(f"descriptors grew by {descriptors:.1f} (bound {DESCRIPTOR_GROWTH}) to {self.descriptors[-1]:g}")
        return problems


async def nuisances(address: str) -> None:
    """What a public port sees all day: probes, half requests, malformed ones, uploads that break off."""
    texts = (b"", b"GET / HT", b"\x16\x03\x01 not for this port\r\n\r\n", b"GET / HTTP/1.1\nHost: h\n\n",
             b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhalf")
    while True:
        for text in texts:
            client = await Client.connect("nuisance", address)
            await client.send(text)
            await asyncio.sleep(0.02)
            client.peer.reset()


async def soak(binary: str, folder: pathlib.Path, *, seconds: float, rate: float) -> list[str]:
    targets = [TargetProcess(f"t{n}", folder) for n in range(3)]
    ballast = Ballast(binary, folder)
    config = folder / "ballast.yaml"
    config.write_text(complete_config(CONFIG.format(site=", ".join(f'"{each.address}"' for each in targets[:2]),
                                                    chat=f'"{targets[2].address}"'), folder, admin_http=ballast.admin_http))
    try:
        await asyncio.gather(*(each.start() for each in targets))
        await ballast.start(config)
        address = (await ballast.listeners())["web"]
        load, tunnel, samples = Load(address, Mix(rate=rate, body_bytes=4000)), Tunnel(address, "/chat"), Samples(ballast.serving_pid)
        beside = [asyncio.create_task(each) for each in (tunnel.run(), samples.run(), nuisances(address))]
        await load.run(seconds)
        for task in beside:
            task.cancel()
        ended = await asyncio.gather(*beside, return_exceptions=True)
        await ballast.stop()
        problems = samples.problems() + [str(each) for each in ended if isinstance(each, Exception)]
        problems += [f"{count} x {cause}" for cause, count in load.causes().most_common(8)]
        if tunnel.broken:
            problems.append(f"the tunnel broke {tunnel.broken}")
        print(f"{load.sent} requests in {seconds:g} s; memory {samples.memory[-1] / (1 << 20):.1f} MiB, growth "
              f"{samples.growth(samples.memory) / (1 << 20):+.2f} MiB; descriptors {samples.descriptors[-1]:g}, growth "
              f"{samples.growth(samples.descriptors):+.1f}; p99 {load.quantile_ms(0.99):.1f} ms")
        return problems
    finally:
        ballast.kill()
        await asyncio.gather(*(each.stop() for each in targets))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ballast", default="build/release/ballast", help="the binary")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ballast-soak-") as folder:
        try:
            problems = asyncio.run(soak(str(pathlib.Path(arguments.ballast).resolve()), pathlib.Path(folder),
                                        seconds=arguments.seconds, rate=arguments.rate))
        except Failure as failure:
            problems = [str(failure)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""HTTP/2 toward clients: the rules of the protocol, floods, and real programs.

    http2.py --ballast build/test/ballast [frames floods peers]
"""

import argparse
import asyncio
import pathlib
import sys
import tempfile

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from kit import origin as origins, text  # noqa: E402
from kit.ballast import Ballast, complete_config  # noqa: E402
from kit.client import Client  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.observe import Metrics  # noqa: E402
from real import http2_floods, http2_frames, http2_peers  # noqa: E402

CONFIG = """
listeners:
  web:
    address: "127.0.0.1:0"
    protocol: http
    http2: {{ streams: 8, stream_window: 16KiB, window: 64KiB }}
    rules:
      - {{ name: hold, match: {{ path: "/hold" }}, forward: site }}
    default: {{ fixed_response: {{ status: 200, body: "well" }} }}
  wide:
    address: "127.0.0.1:0"
    protocol: http
    timeouts: {{ header: 2s, idle: 3s }}
    rules:
      - {{ name: well, match: {{ path: "/well" }}, fixed_response: {{ status: 200, body: "well" }} }}
    default: {{ forward: site }}
target_groups:
  site: {{ protocol: http, health_check: off, targets: [ "{origin}" ] }}
"""


RULES = """
> /hold
before body
hold
< 200
> /big
< 200
< body 200000 bytes
> /204
< 204
> /304
< 304
> /trailers
echo chunked
"""


DEFECTS = ("protocol_error", "flow_control_error", "compression_error", "flood", "slow_head")


class World:
    """A Ballast before an origin."""

    def __init__(self, binary: str, folder: pathlib.Path):
        self.folder = folder
        self.ballast = Ballast(binary, folder)
        self.origin = origins.Origin("a", origins.parse_rules(text.parse(RULES)))
        self.listeners: dict[str, str] = {}

    async def start(self) -> None:
        await self.origin.start()
        path = self.folder / "ballast.yaml"
        path.write_text(complete_config(CONFIG.format(origin=self.origin.address), self.folder,
                                        admin_http=self.ballast.admin_http))
        await self.ballast.start(path)
        self.listeners = await self.ballast.listeners()

    async def stop(self) -> None:
        try:
            await self.ballast.stop()
        finally:
            await self.origin.stop()

    async def metrics(self) -> Metrics:
        client = await Client.connect("metrics", self.ballast.admin_http)
        await client.request(text.transcript(["GET /metrics"]))
        answer = await client.response()
        await client.peer.close()
        return Metrics(answer.body.decode())

    async def defects(self, wanted: list[dict[str, int]] | None = None) -> dict[str, int]:
        """How many connections were ended, by defect; waits a moment until it is one of what is wanted."""
        until = asyncio.get_running_loop().time() + 3.0
        while True:
            metrics = await self.metrics()
            counts = {each: sum(metrics.values(f'ballast_listener_http2_defects_total{{defect="{each}"}}')) for each in DEFECTS}
            found = {each: int(count) for each, count in counts.items() if count}
            if wanted is None or found in wanted or asyncio.get_running_loop().time() > until:
                return found
            await asyncio.sleep(0.02)

    def open_connections(self, address: str) -> int:
        """Established ones at that address, as the kernel sees them."""
        port = f":{int(address.rpartition(':')[2]):04X}"
        rows = [row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(1 for row in rows if row[1].endswith(port) and row[3] == "01")


async def run(binary: str, parts: list[str], folder: pathlib.Path) -> None:
    world = World(binary, folder)
    problems = []
    try:
        await world.start()
        for part in parts:
            try:
                if part == "frames":
                    count = await http2_frames.violations(world.listeners["web"], world.defects)
                    print(f"http2: {count} rules of the protocol hold")
                elif part == "floods":
                    print(f"http2: {await http2_floods.floods(world, world.listeners['wide'])} floods end")
                elif part == "peers":
                    print(f"http2: {await http2_peers.peers(world)} peers are served")
                else:
                    raise Failure(f"unknown part: {part}")
            except Failure as failure:
                problems.append(f"{part}: {failure}")
    finally:
        try:
            await world.stop()
        except Failure as failure:
            problems.append(str(failure))
    if problems:
        raise Failure("\n".join(problems))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ballast", default="build/test/ballast", help="the binary")
    parser.add_argument("parts", nargs="*", default=["frames", "floods", "peers"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ballast-http2-") as folder:
        try:
            asyncio.run(run(str(pathlib.Path(arguments.ballast).resolve()), arguments.parts, pathlib.Path(folder)))
        except Failure as failure:
            print(failure, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

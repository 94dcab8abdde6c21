"""Gate: a chaos proxy on any link. It hands bytes on and does to them what a bad network would.

    slice 1                              every write carries that many bytes
    delay 20ms                           each read is held for that long
    cut toward client after 100          end of stream (or `reset`, or `blackhole`) behind that many bytes
    half-close toward target after 0

`toward client` and `toward target` restrict an effect to one direction.
"""

import asyncio
import contextlib
import dataclasses
import re

from kit import text, wire
from kit.client import Client
from kit.failure import Failure
from kit.peer import Peer, Server


@dataclasses.dataclass
class Way:
    """One direction."""

    slice: int = 0
    delay: float = 0.0
    end: str = ""        # "cut", "reset", "blackhole", "half-close"
    after: int = 0
    passed: int = 0


class Gate:
    def __init__(self, name: str, target: str, effects: list[str]):
        self.name = name
        self.target = target
        self.connections = 0
        self.server = Server(self._serve)
        self.set(effects)
        self._links: set[tuple[Peer, Peer]] = set()

    def set(self, effects: list[str]) -> None:
        """For connections from now on."""
        self._toward_target, self._toward_client = Way(), Way()
        for effect in effects:
            self._effect(effect)

    def _effect(self, effect: str) -> None:
        ways = [self._toward_target, self._toward_client]
        for side, only in (("target", 0), ("client", 1)):
            if f" toward {side}" in effect:
                effect = effect.replace(f" toward {side}", "")
                ways = [ways[only]]
        for way in ways:
            if match := re.fullmatch(r"slice (\d+)", effect):
                way.slice = int(match[1])
            elif match := re.fullmatch(r"delay (\w+)", effect):
                way.delay = text.seconds(match[1])
            elif match := re.fullmatch(r"(cut|reset|blackhole|half-close) after (\d+)", effect):
                way.end, way.after = match[1], int(match[2])
            else:
                raise Failure(f"gate {self.name}: unknown effect: {effect}")

    @property
    def address(self) -> str:
        return self.server.address

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    def act_now(self, what: str) -> None:
        for one, other in list(self._links):
            for peer in (one, other):
                if what == "reset":
                    peer.reset()
                elif what == "cut":
                    peer.writer.close()
                else:
                    raise Failure(f"gate {self.name}: cannot {what} now")

    async def _serve(self, near: Peer) -> None:
        self.connections += 1
        try:
            far = (await Client.connect(self.name, self.target)).peer
        except OSError:
            near.reset()
            return
        self._links.add((near, far))
        ways = (dataclasses.replace(self._toward_target), dataclasses.replace(self._toward_client))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(near, far, ways[0]))
                both.create_task(self._pass(far, near, ways[1]))
        finally:
            self._links.discard((near, far))
            far.writer.close()

    async def _pass(self, start: Peer, end: Peer, way: Way) -> None:
        try:
            while True:
                if way.end and way.passed >= way.after:
                    if await self._finish(start, end, way):
                        return
                most = way.after - way.passed if way.end else wire.READ_SIZE
                data = await start.source.some(max(most, 1))
                if way.delay:
                    await asyncio.sleep(way.delay)
                way.passed += len(data)
                await end.send(data, piece=way.slice)
        except wire.Ended as ended:
            if ended.how == "reset":
                end.reset()
            else:
                end.half_close()

    async def _finish(self, start: Peer, end: Peer, way: Way) -> bool:
        """The scripted end of a direction; True when nothing more is to be read."""
        what, way.end = way.end, ""
        if what == "reset":
            start.reset()
            end.reset()
        elif what == "cut":
            start.writer.close()
            end.writer.close()
        elif what == "half-close":
            end.half_close()
        with contextlib.suppress(wire.Ended):
            while what in ("blackhole", "half-close"):
                await start.source.some(wire.READ_SIZE)
        return True

"""Mutations of the corpus, checked by the invariant alone: what an origin reads is what a strict reading of the sent bytes
has in front, request by request; in the monitor mode at most one more, which was mended and ends the connection."""

import asyncio
import random
import re
import time

from desync.corpus import Case
from desync.reading import Request, take_all
from desync.world import World, Wire, got, take_answers
from kit.failure import Failure

PIECES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"0\r\n\r\n", b"0", b"5", b"\r\n\r\n", b"\x0b", b"\xff", b"%", b"chunked",
          b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Host: h\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n",
          b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", b" HTTP/1.1\r\n", b"POST /y HTTP/1.1\r\nHost: h\r\n", b"HTTP/1.0", b"hello", b"5\r\nhello\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n"]
ANSWERED_BY_US = ("CONNECT", "TRACE")
REPORT_MAX = 5


def mutate(chance: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] = chance.randrange(256)
        elif kind == 1 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del data[at:at + chance.choice((1, 1, 2, 4, 16))]
        elif kind == 3:
            end = min(len(data), at + chance.choice((1, 8, 32, 128)))
            data[at:at] = data[at:end]
        elif kind == 4:
            other = chance.choice(seeds)
            data[at:] = other[chance.randrange(len(other) + 1):]
        else:
            data[at:at] = chance.choice(PIECES)
    return bytes(data[:32768])


def as_asked(request: Request) -> tuple[str, str, bytes]:
    """In the form that a target is asked in."""
    target = request.target
    absolute = re.fullmatch(r"https?://[^/?]*(/?[^?]*)(\?.*)?", target, re.IGNORECASE)
    if absolute:
        target = (absolute[1] or "/") + (absolute[2] or "")
    return request.method, target, request.body


def judge(mode: str, data: bytes, wire: Wire, requests: list[Request]) -> str:
    strict, why = take_all(data)
    wanted = [as_asked(each) for each in strict if each.method not in ANSWERED_BY_US]
    keys = [request.key() for request in requests]
    front = keys[:len(wanted)]
    if front != wanted[:len(front)]:
        return f"the origin got {front}, the bytes say {wanted} ({why})"
    more = keys[len(wanted):]
    if more and (mode != "monitor" or len(more) > 1):
        return f"the origin got {more} behind what the bytes say: {wanted} ({why})"
    answers, _ = take_answers(wire.data)
    says = [each.got for each in answers if each.got]
    everything = [got(*key) for key in keys]
    if says != everything[:len(says)] or len(says) != len(everything) and wire.ended != "reset":
        return f"answered {says}, the origin got {everything} ({wire.ended})"
    for place, answer in enumerate(answers[:-1]):
        if not answer.got and answer.status != 405:
            return f"the connection went on behind {answer.status} {answer.reason} ({answer.defect}), the answer {place}"
    if answers and not answers[-1].got and answers[-1].status not in (405, 503) and not answers[-1].closes:
        return f"the connection was to go on behind {answers[-1].status}"
    if more and answers and answers[-1].got and not answers[-1].closes:
        return "the connection was to go on behind what was mended"
    return ""


async def play_one(world: World, mode: str, data: bytes, cut: int) -> str:
    origin = world.origins[mode]
    before = len(origin.requests)
    wire = await Wire.connect(world.listeners[mode])
    try:
        wire.send(data[:cut])
        if cut < len(data):
            await asyncio.sleep(0)
            wire.send(data[cut:])
        wire.half_close()
        await wire.until(lambda: wire.ended, "the end of the connection")
        return judge(mode, data, wire, origin.requests[before:]) or "; ".join(origin.violations[:1])
    except Failure as failure:
        return str(failure)
    finally:
        wire.close()


async def fuzz(world: World, cases: list[Case], seconds: float, seed: int) -> list[str]:
    chance = random.Random(seed)
    seeds = [case.data for case in cases]
    seeds += 3 * [case.data for case in cases if not case.modes["defensive"].defect]  # what is near to valid finds more
    ends = time.monotonic() + seconds
    count = 0
    problems: list[str] = []
    while time.monotonic() < ends and len(problems) < REPORT_MAX:
        data = mutate(chance, seeds)
        cut = len(data) if chance.randrange(2) else chance.randrange(len(data) + 1)
        found = await asyncio.gather(*(play_one(world, mode, data, cut) for mode in world.modes))
        count += 1
        problems += [f"{mode}, mutation {count} of seed {seed}, cut at {cut}: {each}\n    sent: {data!r}"
                     for mode, each in zip(world.modes, found) if each]
    accepted = sum(len(origin.requests) for origin in world.origins.values())
    print(f"desync: {count} mutations of {len(cases)} seeds in {seconds:g} s, in {len(world.modes)} modes, seed {seed}; "
          f"{accepted} requests accepted so far")
    return problems

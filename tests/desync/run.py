#!/usr/bin/env python3
"""Desync: a corpus of malformed and ambiguous requests, responses and HTTP/2 heads in all modes, and mutations of it.

    tests/desync/run.py --ballast build/test/ballast [--seconds 5] [--seed 1] [canary requests responses h2 fuzz]
"""

import argparse
import asyncio
import pathlib
import random
import sys
import tempfile

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from desync import canary, corpus, fuzz, h2, play, responses  # noqa: E402
from desync.world import World  # noqa: E402
from kit.failure import Failure  # noqa: E402


async def run(binary: str, folder: pathlib.Path, parts: list[str], seconds: float, seed: int) -> list[str]:
    requests = corpus.requests()
    problems: list[str] = []
    for part in parts:
        if part == "canary":
            problems += await canary.canaries(requests)
            continue
        (folder / part).mkdir()
        world = World(binary, folder / part)
        try:
            await world.start()
            if part == "requests":
                problems += await play.all_modes(world, play.play_requests, requests)
                print(f"desync: {len(requests)} requests, {sum(1 for each in requests if each.modes['defensive'].defect)} of them refused by default")
            elif part == "responses":
                answers = responses.responses()
                problems += await play.all_modes(world, play.play_responses, answers)
                print(f"desync: {len(answers)} responses, {sum(1 for each in answers if each.defect and 'defensive' in each.refused_in)} of them refused by default")
            elif part == "h2":
                heads = h2.cases()
                problems += await play.all_modes(world, h2.play, heads)
                print(f"desync: {len(heads)} requests over HTTP/2, {sum(1 for each in heads if not each.accepted)} of them refused")
            elif part == "fuzz":
                problems += await fuzz.fuzz(world, requests, seconds, seed)
            else:
                raise Failure(f"unknown part: {part}")
            problems += world.check_violations()
        finally:
            await world.stop()
        if part == "requests" and not problems:
            for mode in world.modes:
                problems += play.check_log(world, mode, requests) or play.check_places(world, mode, requests)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ballast", default="build/test/ballast", help="the binary")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to mutate")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("parts", nargs="*", default=["canary", "requests", "responses", "h2", "fuzz"])
    given = parser.parse_args()
    print(f"desync: seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ballast-desync-") as folder:
        try:
            problems = asyncio.run(run(str(pathlib.Path(given.ballast).resolve()), pathlib.Path(folder), given.parts, given.seconds, given.seed))
        except Failure as failure:
            problems = [str(failure)]
    for each in problems:
        print(each, file=sys.stderr)
    if problems:
        print(f"desync: {len(problems)} problems; seed {given.seed}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

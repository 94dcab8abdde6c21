"""Plays the corpora against a World and says what did not come out as it must."""

import asyncio

from desync.corpus import STATUS, Case, Expected, class_of
from desync.responses import ResponseCase
from desync.world import World, Wire, got, take_answers
from kit.failure import Failure

AFTER = b"GET /after HTTP/1.1\r\nHost: h\r\n\r\n"
PROBLEMS_MAX = 20  # of a mode; more say nothing new


def _differences(expected: Expected, mode: str, wire: Wire, requests: list) -> list[str]:
    answers, left = take_answers(wire.data)
    problems = []
    if left:
        problems.append(f"half an answer: {left[:80]!r}")
    keys = [request.key() for request in requests]
    if keys != expected.accepted:
        problems.append(f"the origin got {keys}, wanted {expected.accepted}")
    wanted = [got(*each) for each in expected.accepted]
    if [each.got for each in answers if each.got] != wanted:
        problems.append(f"answered: {[each.got for each in answers if each.got]}, wanted {wanted}")
    own = [each for each in answers if not each.got]
    if not expected.defect:
        if own:
            problems.append(f"refused: {own[0].status} {own[0].reason} ({own[0].defect}), wanted it accepted")
    elif len(own) != 1 or answers[-1].got:
        problems.append(f"{len(own)} refusals, wanted one at the end: {expected.defect}")
    else:
        status = STATUS.get(expected.defect, 400)
        found = (own[0].status, own[0].reason, own[0].defect)
        if found != (status, "request_malformed", expected.defect):
            problems.append(f"refused with {found}, wanted {(status, 'request_malformed', expected.defect)}")
        if not own[0].closes:
            problems.append("the connection is to stay open behind a refusal")
    mended = mode == "monitor" and class_of(expected.passed) != "acceptable" if expected.passed else False
    if mended and answers and not answers[-1].closes:
        problems.append("the connection is to stay open behind what was mended")
    return problems


async def play_request(world: World, mode: str, case: Case) -> list[str]:
    expected = case.modes[mode]
    origin = world.origins[mode]
    before = len(origin.requests)
    wire = await Wire.connect(world.listeners[mode])
    try:
        wire.send(case.data)
        wanted = len(expected.accepted) + (1 if expected.defect else 0)
        await wire.until(lambda: wire.ended or len(take_answers(wire.data)[0]) >= wanted, f"{wanted} answers")
        if expected.defect or expected.passed:
            wire.send(AFTER)  # nothing is read behind what was refused or mended; and behind what is odd, it is
        after = bool(expected.passed) and not expected.defect and (mode != "monitor" or class_of(expected.passed) == "acceptable")
        wire.half_close()
        await wire.until(lambda: wire.ended, "the end of the connection")
        if after:
            expected = Expected([*expected.accepted, ("GET", "/after", b"")], expected.defect, expected.passed)
        return _differences(expected, mode, wire, origin.requests[before:])
    finally:
        wire.close()


async def play_requests(world: World, mode: str, cases: list[Case]) -> list[str]:
    problems = []
    for case in cases:
        try:
            found = await play_request(world, mode, case)
        except Failure as failure:
            found = [str(failure)]
        if found:
            problems.append(f"{mode}, {case.name}: " + "; ".join(found) + f"\n    sent: {case.data[:300]!r}")
            if len(problems) >= PROBLEMS_MAX:
                break
    return problems


def check_log(world: World, mode: str, cases: list[Case]) -> list[str]:
    """The log names the defect, its class and its place for each refusal and for each that was passed, in order."""
    wanted, found = [], []
    for case in cases:
        expected = case.modes[mode]
        if expected.passed:
            wanted.append(("passed", expected.passed, class_of(expected.passed), case.name))
        if expected.defect:
            wanted.append(("refused", expected.defect, class_of(expected.defect), case.name))
    problems = []
    for record in world.records(mode):
        if record.get("reason") == "request_malformed":
            found.append(("refused", record["defect"], record["defect_class"]))
            if "defect_at" not in record:
                problems.append(f"{mode}: no place in the log: {record}")
        elif "request_oddity" in record:
            found.append(("passed", record["request_oddity"], record["request_oddity_class"]))
    for have, want in zip(found, wanted):
        if have != want[:3]:
            return [*problems[:3], f"{mode}: the log says {have}, wanted {want}"]
    if len(found) != len(wanted):
        problems.append(f"{mode}: the log has {len(found)} defects, wanted {len(wanted)}")
    return problems[:3]


def check_places(world: World, mode: str, cases: list[Case]) -> list[str]:
    """Where a case says at which byte it is broken, the log says the same."""
    places = iter([record["defect_at"] for record in world.records(mode) if record.get("reason") == "request_malformed"])
    problems = []
    for case in cases:
        if not case.modes[mode].defect:
            continue
        place = next(places, None)
        if case.at is not None and place != case.at:
            problems.append(f"{mode}, {case.name}: broken at {place}, wanted {case.at}")
    return problems[:3]


async def play_responses(world: World, mode: str, cases: list[ResponseCase]) -> list[str]:
    problems = []
    origin = world.origins[mode]
    for number, case in enumerate(cases):
        target = f"/r/{number}"
        origin.answers[target] = case.data
        wire = await Wire.connect(world.listeners[mode])
        try:
            wire.send(f"{case.method} {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            await wire.until(lambda: wire.ended or take_answers(wire.data)[0], "an answer")
            wire.half_close()
            await wire.until(lambda: wire.ended, "the end of the connection")
            found = case.differences(mode, wire.data)
        except Failure as failure:
            found = str(failure)
        finally:
            wire.close()
        if found:
            problems.append(f"{mode}, response {case.name}: {found}\n    the target sent: {case.data[:300]!r}")
            if len(problems) >= PROBLEMS_MAX:
                break
    return problems


async def all_modes(world: World, play, cases: list) -> list[str]:
    """All modes side by side, each in the order of the cases."""
    return sum(await asyncio.gather(*(play(world, mode, cases) for mode in world.modes)), [])

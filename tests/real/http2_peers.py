"""Real programs that speak HTTP/2 to Ballast, WebSockets over it (RFC 8441), and what happens to streams under way when
it stops or their listener is removed."""

import asyncio
import json
import pathlib
import signal
import time

from kit.ballast import complete_config
from kit.failure import Failure
from kit.http2 import END_HEADERS, END_STREAM, Http2Client, block, data, headers, request, rst_stream, settings, PREFACE
from real.http2_floods import Program

SECONDS_MAX = 60


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


async def run(*words: str) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                                                   stderr=asyncio.subprocess.PIPE)
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    except TimeoutError:
        process.kill()
        raise Failure(f"{words[0]} did not end within {SECONDS_MAX} s") from None
    out, err = out.decode(errors="replace"), err.decode(errors="replace")
    need(process.returncode == 0, f"$ {' '.join(words)}\nexit {process.returncode}\n{out[-2000:]}\n{err[-2000:]}")
    return out, err


async def curl(world) -> None:
    url = f"http://{world.listeners['wide']}"
    plain = ("curl", "-sS", "--http2-prior-knowledge", "-m", "30")
    out, _ = await run(*plain, "-w", " %{http_version}", f"{url}/well")
    need(out == "well 2", f"curl: {out!r}")
    body = world.folder / "body"
    body.write_bytes(bytes(range(256)) * 8000)
    back = world.folder / "back"
    await run(*plain, "--data-binary", f"@{body}", "-o", str(back), f"{url}/echo")
    need(back.read_bytes() == body.read_bytes(), "curl: the body came back different")
    out, _ = await run(*plain, "-I", f"{url}/big")
    need("content-length: 200000" in out, f"curl -I: {out}")
    for status in ("204", "304"):
        out, _ = await run(*plain, "-w", "%{http_code}", f"{url}/{status}")
        need(out == status, f"curl: {out!r}")
    # An upgrade from HTTP/1.1 is not taken up, and does not reach the target.
    out, _ = await run("curl", "-sS", "--http2", "-m", "30", "-w", " %{http_version}", f"{url}/upgrade")
    need(out == "a 1.1", f"curl --http2: {out!r}")
    seen = world.origin.requests[-1]
    need(seen.fields.get("upgrade") is None and seen.fields.get("http2-settings") is None, seen.describe())
    until = time.monotonic() + 5
    while True:
        lines = [json.loads(line) for line in world.ballast.access_log.read_text().splitlines()]
        if any(line.get("path") == "/well" and line.get("protocol") == "HTTP/2.0" for line in lines):
            return
        need(time.monotonic() < until, f"the log has no HTTP/2.0: {lines[:3]}")
        await asyncio.sleep(0.05)


async def h2load(world) -> None:
    out, _ = await run("h2load", "-n", "4000", "-c", "4", "-m", "100", f"http://{world.listeners['wide']}/well")
    need("4000 succeeded, 0 failed" in out, f"h2load: {out}")
    out, _ = await run("h2load", "-n", "60", "-c", "2", "-m", "10", "-w", "14", f"http://{world.listeners['wide']}/big")
    need("60 succeeded, 0 failed" in out, f"h2load: {out}")


async def nghttp(world) -> None:
    body = world.folder / "small"
    body.write_text("twelve bytes")
    out, _ = await run("nghttp", "-v", "--no-content-length", "-H", ":method: POST", "--trailer", "x-check: of the client", "-d", str(body),
                       f"http://{world.listeners['wide']}/trailers")
    seen = world.origin.requests[-1]
    need(seen.trailers.get("x-check") == "of the client", f"trailers toward the target: {seen.describe()}")
    need(out.count("x-check: of the client") >= 2, f"trailers toward the client:\n{out}")
    need("PUSH_PROMISE" not in out, out)


async def websocket(world) -> None:
    client = await Http2Client.connect(world.listeners["wide"])
    try:
        await client.until(lambda: 8 in client.settings, "SETTINGS_ENABLE_CONNECT_PROTOCOL")
        connect = block((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
                        (":authority", "h"), ("sec-websocket-version", "13"), ("sec-websocket-key", "mine"))
        await client.send(headers(1, connect, END_HEADERS))
        await client.until(lambda: 1 in client.answers and client.answers[1].status, "the answer")
        answer = client.answers[1]
        need(answer.status == "200" and "sec-websocket-accept" not in answer.heads[0], f"{answer.heads}")
        sent = bytes(range(256)) * 40
        for n in range(1, 21):  # never more than a window
            await client.send(data(1, sent))
            await client.until(lambda: len(answer.body) >= n * len(sent) or answer.reset, "the echo")
        need(answer.body == sent * 20, "the echo is another")
        # Beside it, requests go on.
        need((await client.get(3, "/well")).status == "200", client.describe())
        await client.send(data(1, b"last", END_STREAM))
        await client.answer(1)
        need(answer.body.endswith(b"last") and answer.ended and not answer.reset, client.describe())
        seen = [each for each in world.origin.requests if each.target == "/chat"][-1]
        keys = [value for name, value in seen.fields.items if name.lower() == "sec-websocket-key"]
        need(seen.method == "GET" and seen.fields.get("upgrade") == "websocket" and len(keys) == 1 and keys[0] != "mine",
             seen.describe())
        # One that the client calls off is called off at the target.
        await client.send(headers(5, connect, END_HEADERS))
        await client.until(lambda: 5 in client.answers and client.answers[5].status, "the answer")
        await client.send(rst_stream(5))
        await client.ping()
        # One whose end the client does not take is given up.
        await client.send(settings((4, 0)), headers(7, connect, END_HEADERS))
        await client.until(lambda: 7 in client.answers and client.answers[7].status, "the answer")
        client.gives_window = False
        await client.send(data(7, b"x" * 1000, END_STREAM))
        await client.answer(7, 15.0)
        need(client.answers[7].reset != "", client.describe())
    finally:
        await client.close()


async def early(world) -> None:
    """Answered before its body has come: the answer is whole, and the rest is not wanted."""
    client = await Http2Client.connect(world.listeners["wide"])
    try:
        await client.send(headers(1, request("POST", "/well"), END_HEADERS), data(1, b"x" * 1000))
        await client.until(lambda: client.answers.get(1) is not None and client.answers[1].reset, "the reset")
        need(client.answers[1].status == "200" and client.answers[1].ended and client.answers[1].reset == "NO_ERROR",
             client.describe())
        # Their windows are given back: far more than a connection's window passes.
        for stream in range(3, 203, 2):
            await client.send(headers(stream, request("POST", "/well"), END_HEADERS), *[data(stream, b"x" * 16000)] * 4)
            await client.until(lambda: stream in client.answers and client.answers[stream].reset, f"the reset of {stream}")
        need(client.updates.get(0, 0) > 2 << 20, f"windows given: {client.updates.get(0)}")
    finally:
        await client.close()


async def _held(world) -> Http2Client:
    client = await Http2Client.connect(world.listeners["wide"])
    await client.send(headers(1, request("GET", "/hold")), headers(3, request("POST", "/hold"), END_HEADERS))
    until = time.monotonic() + 10
    while world.origin.open < 2 and time.monotonic() < until:
        await asyncio.sleep(0.01)
    return client


async def _finishes(world, client: Http2Client, cpu: float, program: Program) -> None:
    await client.until(lambda: client.goaways, "GOAWAY")
    need(client.goaways[0] == ((1 << 31) - 1, "NO_ERROR"), f"{client.goaways}")
    await client.until(lambda: len(client.goaways) >= 2, "the last GOAWAY")
    need(client.goaways[1] == (3, "NO_ERROR"), f"{client.goaways}")
    await client.send(headers(5))  # behind the last: overlooked
    await asyncio.sleep(0.5)
    need(not client.ended, client.describe())
    used = program.cpu() - cpu
    need(used < 0.3, f"{used:.2f} s of processor time while two streams wait")
    world.origin.going.release()
    world.origin.going.release()
    await client.send(data(3, b"the body", END_STREAM))
    for stream in (1, 3):
        answer = await client.answer(stream)
        need(answer.status == "200" and answer.ended, client.describe())
    need(await client.end() == "fin", client.describe())
    need(not client.answers.get(5), client.describe())


async def removed(world) -> None:
    client = await _held(world)
    program = Program(world.ballast.serving_pid)
    cpu = program.cpu()
    whole = (world.folder / "ballast.yaml").read_text()
    path = world.folder / "next.yaml"
    path.write_text(whole.replace("  wide:\n", "  other:\n"))
    done = await world.ballast.command("apply", str(path))
    need(done.exit == 0, done.describe())
    await _finishes(world, client, cpu, program)
    await client.close()
    done = await world.ballast.command("apply", str(world.folder / "ballast.yaml"))
    need(done.exit == 0, done.describe())
    world.listeners = await world.ballast.listeners()


async def stopped(world) -> None:
    """The last: it stops the program."""
    client = await _held(world)
    # At rest: told to go, and gone.
    idle = await Http2Client.connect(world.listeners["wide"])
    need((await idle.get(1, "/well")).status == "200", idle.describe())
    program = Program(world.ballast.serving_pid)
    cpu = program.cpu()
    world.ballast.signal(signal.SIGTERM)
    await idle.end()
    need(idle.ended == "fin" and idle.goaways[-1] == (1, "NO_ERROR"), idle.describe())
    await _finishes(world, client, cpu, program)
    await client.close()
    await idle.close()
    need(await world.ballast.wait_exit(10.0) == 0, "the exit status")


async def peers(world) -> int:
    steps = (curl, h2load, nghttp, websocket, early, removed, stopped)
    for step in steps:
        try:
            await step(world)
        except Failure as failure:
            raise Failure(f"{step.__name__}: {failure}") from None
    return len(steps)

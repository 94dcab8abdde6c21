#!/usr/bin/env python3
"""WebSockets between the `ws` package's client and server, in the clear and over TLS, and through changes of the configuration.

    tests/real/websockets.py --ballast build/test/ballast
"""

import argparse
import asyncio
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import certificates, node  # noqa: E402
from kit.ballast import Ballast, complete_config, run  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.peer import free_port  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent / "websocket"
HELD = 100
SECONDS = 30.0

WANTED = """protocol chat.v2, extensions permessage-deflate
NAME 127.0.0.1 {scheme}
grüße
0 bytes the same
125 bytes the same
126 bytes the same
65535 bytes the same
65536 bytes the same
5000000 bytes the same
one two three
pong are you there
closed 4001 as asked
cut 1006
"""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


async def start(program: pathlib.Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec("node", str(program), *words, stdin=asyncio.subprocess.PIPE,
                                                stdout=asyncio.subprocess.PIPE, limit=2**20)


async def heard(process: asyncio.subprocess.Process, line: str) -> None:
    try:
        said = await asyncio.wait_for(process.stdout.readline(), SECONDS)
    except TimeoutError:
        raise Failure(f"wanted {line!r}, heard nothing for {SECONDS:g} s") from None
    need(said.decode() == line + "\n", f"wanted {line!r}, heard {said!r}")


def configuration(folder: pathlib.Path, admin_http: str, targets: list[str], extra: str = "") -> str:
    return complete_config(f"""
listeners:
  plain: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: chat }} }}
  secure:
    address: "127.0.0.1:0"
    protocol: https
    certificates: {{ cert: site.crt, key: site.key }}
    default: {{ forward: chat }}
target_groups:
  chat: {{ protocol: http, health_check: off, targets: [ {", ".join(f'"{each}"' for each in targets)} ] {extra} }}
""", folder, admin_http=admin_http)


async def speak(program: pathlib.Path, listeners: dict[str, str], folder: pathlib.Path) -> None:
    for scheme, listener, ca in (("http", "plain", ""), ("https", "secure", str(folder / "ca.crt"))):
        url = f"{scheme.replace('http', 'ws')}://{listeners[listener]}/chat?room=1"
        done = await run("node", str(program), "call", url, ca, folder=folder)
        wanted = WANTED.format(scheme=scheme)
        need(done.exit == 0 and done.out == wanted, f"{url}: wanted\n{wanted}\ngot\n{done.describe()}")


async def hold_through_changes(program: pathlib.Path, ballast: Ballast, folder: pathlib.Path, servers: list[str]) -> None:
    """The connections of a target that stays never notice a change; those of one that is drained go on to their end."""
    holder = await start(program, "hold", f"ws://{(await ballast.listeners())['plain']}/", str(HELD))
    try:
        await heard(holder, f"open {HELD}")
        for step, (targets, extra) in enumerate([(servers, ", algorithm: random"), (servers[:1], ""), (servers, "")]):
            config = folder / "ballast.yaml"
            config.write_text(configuration(folder, ballast.admin_http, targets, extra))
            done = await ballast.command("apply", str(config))
            need(done.exit == 0, done.describe())
            holder.stdin.write(f"step {step}\n".encode())
            await heard(holder, f"echoed {HELD}")
        holder.stdin.close()
        need(await asyncio.wait_for(holder.wait(), SECONDS) == 0, "the client that held connections failed")
    finally:
        if holder.returncode is None:
            holder.kill()
            await holder.wait()


async def check(binary: str, folder: pathlib.Path) -> None:
    program = (await node.install(SOURCE, folder)) / "peer.mjs"
    await certificates.make_certificate(folder, "site", {"for": "127.0.0.1"})
    ports = [free_port(), free_port()]
    servers = [await start(program, "serve", f"server-{port}", str(port)) for port in ports]
    ballast = Ballast(binary, folder)
    try:
        for server in servers:
            await heard(server, "ready")
        config = folder / "ballast.yaml"
        targets = [f"127.0.0.1:{port}" for port in ports]
        config.write_text(configuration(folder, ballast.admin_http, targets))
        await ballast.start(config)
        await speak(program, await ballast.listeners(), folder)
        await hold_through_changes(program, ballast, folder, targets)
    finally:
        try:
            await ballast.stop()
        finally:
            for server in servers:
                server.kill()
                await server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="WebSockets through Ballast.")
    parser.add_argument("--ballast", required=True)
    binary = str(pathlib.Path(parser.parse_args().ballast).resolve())
    if not node.is_there():
        print("SKIPPED: node and npm are not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="ballast-ws-") as folder:
        try:
            asyncio.run(check(binary, pathlib.Path(folder)))
        except Failure as failure:
            print(f"websockets: {failure}", file=sys.stderr)
            return 1
    print(f"websockets: messages, fragments, closes, and {HELD} connections through three changes pass")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""gRPC with the grpc project's own server and client, through an h2c group; and refusals in gRPC's terms.

    tests/real/grpc_calls.py --ballast build/test/ballast
"""

import argparse
import asyncio
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.ballast import Ballast, complete_config, run  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.peer import free_port  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's grpcio
PEER = str(pathlib.Path(__file__).resolve().parent / "grpc_peer.py")
WANTED = r"""b'echo hello' ipv4
NOT_FOUND no such thing: 100% ä
UNIMPLEMENTED
[b'<a>', b'<b>', b'<c>']
10000000
3000005
True
DEADLINE_EXCEEDED
UNAVAILABLE The server for this request refused the connection. (connect_refused, request ID)
"""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A target that takes everything and says nothing."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass
    finally:
        writer.close()


async def check(binary: str, folder: pathlib.Path) -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec(PYTHON, PEER, "serve", str(port), stdout=asyncio.subprocess.PIPE)
    mute = await asyncio.start_server(swallow, "127.0.0.1", 0)
    ballast = Ballast(binary, folder)
    try:
        need(await asyncio.wait_for(server.stdout.readline(), 20) == b"ready\n", "the gRPC server did not start")
        config = folder / "ballast.yaml"
        config.write_text(complete_config(f"""
listeners:
  calls: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: calls }} }}
  dead: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: dead }} }}
  mute: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: mute }} }}
target_groups:
  calls: {{ protocol: h2c, targets: [ "127.0.0.1:{port}" ] }}
  dead: {{ protocol: h2c, health_check: off, targets: [ "127.0.0.1:{free_port()}" ] }}
  mute: {{ protocol: h2c, health_check: off, targets: [ "127.0.0.1:{mute.sockets[0].getsockname()[1]}" ] }}
""", folder, admin_http=ballast.admin_http))
        await ballast.start(config)
        listeners = await ballast.listeners()
        done = await run(PYTHON, PEER, "call", listeners["calls"], listeners["dead"], folder=folder)
        out = re.sub(r"request [0-9a-f]{32}\b", "request ID", done.out)
        need(done.exit == 0 and out == WANTED, f"wanted\n{WANTED}\ngot\n{done.describe()}")
        (folder / "message").write_bytes(bytes(5))  # an empty one, with its prefix
        # A client that does not watch its own deadline is told of it.
        done = await run("curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", "-D", "-", "-H", "Content-Type: application/grpc",
                         "-H", "TE: trailers", "-H", "grpc-timeout: 300m", "--data-binary", "@message",
                         f"http://{listeners['mute']}/test.T/Echo", folder=folder)
        need("grpc-status: 4" in done.out and "(target_timeout, request " in done.out, f"a call over its deadline:\n{done.describe()}")
    finally:
        try:
            await ballast.stop()
        finally:
            mute.close()
            server.terminate()
            await server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description="gRPC through Ballast.")
    parser.add_argument("--ballast", required=True)
    binary = str(pathlib.Path(parser.parse_args().ballast).resolve())
    if subprocess.run([PYTHON, "-c", "import grpc"], capture_output=True, check=False).returncode != 0:
        print("SKIPPED: python3-grpcio not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="ballast-grpc-") as folder:
        try:
            asyncio.run(check(binary, pathlib.Path(folder)))
        except Failure as failure:
            print(f"grpc: {failure}", file=sys.stderr)
            return 1
    print("grpc: calls, streams, trailers, deadlines and refusals pass")
    return 0


if __name__ == "__main__":
    sys.exit(main())

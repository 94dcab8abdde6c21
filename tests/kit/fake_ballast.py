#!/usr/bin/env python3
"""A stand-in for the binary in the kit's own tests: `up FILE` passes bytes to the first target, `status --json` names the
listener. With FAKE_EXIT, FAKE_STDERR or FAKE_NEVER_READY in the environment it misbehaves as said."""

import asyncio
import json
import os
import pathlib
import re
import signal
import socket
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from kit.gate import Gate  # noqa: E402


async def up(file: str) -> int:
    target = re.search(r'targets: \[ "([^"]+)"', pathlib.Path(file).read_text())[1]
    gate = Gate("fake", target, [])
    await gate.start()
    (pathlib.Path(file).parent / "fake.json").write_text(json.dumps({"listeners": [{"name": "web", "address": gate.address}]}))
    print(os.environ.get("FAKE_STDERR", ""), file=sys.stderr)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if "FAKE_NEVER_READY" in os.environ:
        return 4
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(b"READY=1\nSTATUS=serving", os.environ["NOTIFY_SOCKET"])
    await stop.wait()
    await gate.stop()
    return int(os.environ.get("FAKE_EXIT", "0"))


def main() -> int:
    if sys.argv[1] == "up":
        return asyncio.run(up(sys.argv[2]))
    if sys.argv[1] == "status":
        print(pathlib.Path("fake.json").read_text())
        return 0
    print(f"unknown command: {sys.argv[1]}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

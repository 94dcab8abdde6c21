#!/usr/bin/env python3
"""Health checks and retries by grpc-status, with two servers of the grpc project that do as they are told.

    tests/real/grpc_health.py --ballast build/test/ballast
"""

import argparse
import asyncio
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import certificates  # noqa: E402
from kit.ballast import Ballast, complete_config, run  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.peer import free_port  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's grpcio
PEER = str(pathlib.Path(__file__).resolve().parent / "grpc_peer.py")
PATIENCE_SECONDS = 20


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


class Server:
    """grpc_peer.py health."""

    def __init__(self, *certificate: str):
        self.port = free_port()
        self._certificate = certificate

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            PYTHON, PEER, "health", str(self.port), *self._certificate, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE)
        need(await self._line() == "ready", "the gRPC server did not start")

    async def _line(self) -> str:
        return (await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_SECONDS)).decode().strip()

    async def tell(self, words: str) -> int:
        """How often it was tried since it was last told what to answer."""
        self._process.stdin.write(f"{words}\n".encode())
        return int(await self._line())

    async def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


async def until_health(ballast: Ballast, group: str, port: int, state: str, words: str) -> None:
    """Asks until it is so; the checks come every 100 ms."""
    seen = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                groups = {each["name"]: each for each in (await ballast.status())["groups"]}
                target = next(each for each in groups[group]["targets"] if each["address"].endswith(f":{port}"))
                seen = f"{target['state']} {target['reason']}: {target['words']}"
                if target["state"] == state and words in target["words"]:
                    return
    raise Failure(f"{group}: wanted {state}, {words!r}; it is {seen}")


async def check_health(ballast: Ballast, a: Server, secure: Server, plain: int, silent: int) -> None:
    for group in ("whole", "cart"):
        await until_health(ballast, group, a.port, "healthy", "SERVING")
    await until_health(ballast, "secure", secure.port, "healthy", "Health/Check gave SERVING")
    await until_health(ballast, "other", a.port, "unhealthy", "does not know this service (NOT_FOUND): no such service")
    await until_health(ballast, "http", plain, "unhealthy", "what the server speaks is not HTTP/2")
    await until_health(ballast, "silent", silent, "unhealthy", "Health/Check gave no answer in 300 ms")
    for told, state, words in (
            ("not_serving", "unhealthy", "Health/Check of shop.Cart gave NOT_SERVING, wanted SERVING"),
            ("serving", "healthy", "gave SERVING"),
            ("unknown", "unhealthy", "gave SERVICE_UNKNOWN, wanted SERVING"),
            ("serving", "healthy", "gave SERVING"),
            ("slow", "unhealthy", "gave no answer in 300 ms"),
            ("serving", "healthy", "gave SERVING"),
            ("none", "unhealthy", "the server has no health service (UNIMPLEMENTED)"),
            ("serving", "healthy", "gave SERVING")):
        await a.tell(f"health {told}")
        await until_health(ballast, "cart", a.port, state, words)
    await secure.tell("health not_serving")
    await until_health(ballast, "secure", secure.port, "unhealthy", "gave NOT_SERVING")


async def check_retries(ballast: Ballast, folder: pathlib.Path, a: Server, b: Server) -> None:
    listeners = await ballast.listeners()

    async def call(listener: str, timeout: str = "20") -> str:
        return (await run(PYTHON, PEER, "once", listeners[listener], timeout, folder=folder)).out.strip()

    async def tried(first: str, second: str, answer: str, tries: tuple, *, listener: str = "calls", timeout: str = "20") -> None:
        await a.tell(f"try {first}")
        await b.tell(f"try {second}")
        got = await call(listener, timeout)
        need(got.startswith(answer), f"{first} and {second} through {listener}: wanted {answer}, got {got}")
        seen = (await a.tell("try OK"), await b.tell("try OK"))
        # Which of the two is asked first is the balancer's affair.
        need(sorted(seen) == sorted(tries), f"{first} and {second} through {listener}: tried {seen}, wanted {tries}")

    well = "OK b'well: hello'"
    asked_first = False
    for _ in range(4):
        await a.tell("try UNAVAILABLE")
        await b.tell("try OK")
        got = await call("calls")
        need(got == well, f"UNAVAILABLE and OK: got {got}")
        asked_first |= await a.tell("try OK") == 1
    need(asked_first, "the failing target was never asked")
    for _ in range(2):
        await tried("RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED as told", (1, 1))
        await tried("INTERNAL", "INTERNAL", "INTERNAL as told", (0, 1))  # not named
        await tried("UNAVAILABLE -1", "UNAVAILABLE -1", "UNAVAILABLE as told", (0, 1))  # told not to
        await tried("UNAVAILABLE 50", "UNAVAILABLE 50", "UNAVAILABLE as told", (1, 1))
        await tried("UNAVAILABLE 60000", "UNAVAILABLE 60000", "UNAVAILABLE as told", (0, 1), timeout="5")  # past the deadline
        await tried("UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE as told", (0, 1), listener="never")


async def check_told(ballast: Ballast, folder: pathlib.Path) -> None:
    with urllib.request.urlopen(f"http://{ballast.admin_http}/metrics", timeout=PATIENCE_SECONDS) as page:
        lines = page.read().decode().splitlines()
    for status in ("OK", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL"):
        start = f'ballast_group_grpc_calls_total{{group="calls",grpc_status="{status}"}} '
        need(any(line.startswith(start) for line in lines), f"no {start}among\n" + "\n".join(l for l in lines if "grpc" in l))
    need(any("ballast_target_grpc_calls_total" in line and 'grpc_status="UNAVAILABLE"' in line for line in lines),
         "no count by target")
    await ballast.stop()  # the log is whole
    logged = {json.loads(line).get("grpc_status") for line in ballast.access_log.read_text().splitlines()}
    need({"OK", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL"} <= logged, f"the access log has {logged}")


async def check(binary: str, folder: pathlib.Path) -> None:
    await certificates.make_certificate(folder, "inside", {"for": "app.internal"})
    a, b = Server(), Server()
    secure = Server(str(folder / "inside.crt"), str(folder / "inside.key"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()

    plain = await asyncio.start_server(answer, "127.0.0.1", 0)
    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    plain_port, silent_port = (each.sockets[0].getsockname()[1] for each in (plain, silent))
    ballast = Ballast(binary, folder)
    try:
        for server in (a, b, secure):
            await server.start()
        config = folder / "ballast.yaml"
        every = "protocol: grpc, interval: 100ms, timeout: 300ms, healthy_threshold: 1, unhealthy_threshold: 1"
        groups = {
            "whole": f'h2c, health_check: {{ {every} }}, targets: [ "127.0.0.1:{a.port}" ]',
            "cart": f'h2c, health_check: {{ {every}, service: shop.Cart }}, targets: [ "127.0.0.1:{a.port}" ]',
            "other": f'h2c, health_check: {{ {every}, service: shop.Other }}, targets: [ "127.0.0.1:{a.port}" ]',
            "secure": f'h2, tls: {{ ca: ca.crt, server_name: app.internal }}, health_check: {{ {every} }}, targets: [ "127.0.0.1:{secure.port}" ]',
            "http": f'h2c, health_check: {{ {every} }}, targets: [ "127.0.0.1:{plain_port}" ]',
            "silent": f'h2c, health_check: {{ {every} }}, targets: [ "127.0.0.1:{silent_port}" ]',
            "calls": f'h2c, health_check: off, retries: {{ grpc_statuses: [unavailable, resource_exhausted] }}, '
                     f'targets: [ "127.0.0.1:{a.port}", "127.0.0.1:{b.port}" ]',
            "never": f'h2c, health_check: off, targets: [ "127.0.0.1:{a.port}", "127.0.0.1:{b.port}" ]',
        }
        config.write_text(complete_config("listeners:\n" + "".join(
            f'  {name}: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: {name} }} }}\n' for name in groups)
            + "target_groups:\n" + "".join(f"  {name}: {{ protocol: {text} }}\n" for name, text in groups.items()),
            folder, admin_http=ballast.admin_http))
        await ballast.start(config)
        await check_health(ballast, a, secure, plain_port, silent_port)
        await check_retries(ballast, folder, a, b)
        await check_told(ballast, folder)
    finally:
        try:
            await ballast.stop()
        finally:
            plain.close()
            silent.close()
            for server in (a, b, secure):
                await server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description="gRPC health checks and retries.")
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
    print("grpc: health checks, retries by status, counts and log pass")
    return 0


if __name__ == "__main__":
    sys.exit(main())

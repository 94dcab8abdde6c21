#!/usr/bin/env python3
"""Slow clients by the thousand (slowhttptest: slow heads, slow bodies, slow reading) beside a client that behaves.

    tests/real/slow_clients.py --ballast build/release/ballast
    tests/real/slow_clients.py --proxy haproxy        # the same through another, for the record; no verdict

The attacker costs the machine something by itself. So each attack is made twice, at an nginx that nobody uses, and at the
proxy, and the good client's latencies through the proxy are compared between the two: its p99 may at most double. None of
its requests may fail, and when the attack is over the proxy has the descriptors and the connections that it had before.
"""

import argparse
import asyncio
import contextlib
import os
import pathlib
import pwd
import resource
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.ballast import Ballast, complete_config  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.load import Load, Mix  # noqa: E402
from kit.peer import free_port  # noqa: E402

ATTACKS = {
    "slow heads": ["-H", "-i", "2", "-x", "24"],
    "slow bodies": ["-B", "-i", "2", "-s", "8192", "-x", "24"],
    "slow reading": ["-X", "-n", "2", "-z", "32", "-w", "512", "-y", "1024", "-k", "1"],
}
# Below this the two measurements differ by more than what they are to tell.
FLOOR_MS = 5.0
P99_FACTOR = 2.0
# Until every slow client is gone: their time limits, and a deregistration of the kernel's; and until the connections to the
# target that answered them have rested for the 60 s that a pool lets them.
SETTLE_SECONDS = 80.0


def nginx_config(folder: pathlib.Path, port: int, connections: int) -> str:
    user = f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""
    temporary = "".join(f"{kind}_temp_path {folder}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""{user} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null crit;
events {{ worker_connections {3 * connections}; }}
http {{
    access_log off; {temporary} client_header_timeout 30s; client_body_timeout 30s; send_timeout 30s; keepalive_requests 1000000;
    server {{ listen 127.0.0.1:{port} backlog=8192; root {folder}/files; location / {{ error_page 405 =200 $uri; }} }}
}}
"""


def haproxy_config(address: str, origin: int, connections: int) -> str:
    return f"""global
    nbthread 2
    maxconn {connections + 2000}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    backlog 8192
frontend web
    bind {address}
    default_backend site
backend site
    server one 127.0.0.1:{origin}
"""


@contextlib.asynccontextmanager
async def running(*command: str, port: int):
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        else:
            raise Failure(f"{command[0]} did not start")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def attack(kind: str, port: int, *, connections: int, seconds: int) -> str:
    """What slowhttptest says at its end of how many connections stood."""
    process = await asyncio.create_subprocess_exec(
        "slowhttptest", *ATTACKS[kind], "-c", str(connections), "-r", str(connections // 2), "-l", str(seconds), "-p", "5", "-v", "1",
        "-u", f"http://127.0.0.1:{port}/large", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)
    try:
        async with asyncio.timeout(seconds + 60):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Failure(f"slowhttptest ({kind}) does not end") from None
    return out.decode(errors="replace")


async def beside(kind: str, aim: int, address: str, arguments: argparse.Namespace) -> tuple[float, Load, str]:
    """The good client's p99 while that port is attacked."""
    attacking = asyncio.create_task(attack(kind, aim, connections=arguments.connections, seconds=arguments.seconds))
    await asyncio.sleep(2.5)  # two seconds of it bring all connections
    load = Load(address, Mix(rate=100, post_share=0.0, new_connection_share=0.3, paths=("/small",)))
    await load.run(max(1, arguments.seconds - 4))
    said = await attacking
    return load.quantile_ms(0.99), load, said


async def settled(pid: int, before: int) -> int:
    """Its descriptors, when no slow client is left."""
    now = 0
    for _ in range(int(SETTLE_SECONDS / 0.5)):
        now = len(os.listdir(f"/proc/{pid}/fd"))
        if now <= before + 40:
            break
        await asyncio.sleep(0.5)
    return now


async def measure(arguments: argparse.Namespace, folder: pathlib.Path) -> list[str]:
    (folder / "files").mkdir()
    (folder / "files/small").write_bytes(b"x" * 64)
    (folder / "files/large").write_bytes(b"x" * (1 << 20))
    origin, other = free_port(), free_port()
    problems = []
    async with contextlib.AsyncExitStack() as stack:
        for name, port in (("origin", origin), ("other", other)):
            own = folder / name
            own.mkdir()
            (own / "files").symlink_to(folder / "files")
            (own / "nginx.conf").write_text(nginx_config(own, port, arguments.connections))
            await stack.enter_async_context(running("nginx", "-p", str(own), "-c", str(own / "nginx.conf"), "-e", "stderr", port=port))
        ballast = None
        if arguments.proxy == "ballast":
            ballast = Ballast(arguments.ballast, folder)
            config = folder / "ballast.yaml"
            config.write_text(complete_config(f"""
listeners: {{ web: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: site }} }} }}
target_groups: {{ site: {{ protocol: http, health_check: off, targets: [ "127.0.0.1:{origin}" ] }} }}
""", folder))
            await ballast.start(config)
            stack.push_async_callback(ballast.stop)
            address, pid = (await ballast.listeners())["web"], ballast.serving_pid
        else:
            address = f"127.0.0.1:{free_port()}"
            (folder / "haproxy.cfg").write_text(haproxy_config(address, origin, arguments.connections))
            process = await stack.enter_async_context(
                running("haproxy", "-db", "-f", str(folder / "haproxy.cfg"), port=int(address.split(":")[1])))
            pid = process.pid
        port = int(address.split(":")[1])
        await Load(address, Mix(rate=100, post_share=0.0, paths=("/small",))).run(1)
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        for kind in ATTACKS:
            quiet, _, _ = await beside(kind, other, address, arguments)
            under, load, said = await beside(kind, port, address, arguments)
            left = await settled(pid, descriptors)
            print(f"| {arguments.proxy} | {kind} | {arguments.connections} | {quiet:.1f} | {under:.1f} | {len(load.lost)} of {load.sent} | "
                  f"{left - descriptors} |", flush=True)
            if load.lost:
                problems.append(f"{kind}: {len(load.lost)} of {load.sent} good requests were lost: {dict(load.causes().most_common(3))}")
            if arguments.judge_p99 and under > P99_FACTOR * max(quiet, FLOOR_MS):
                problems.append(f"{kind}: the good client's p99 went from {quiet:.1f} to {under:.1f} ms\n{said[-1500:]}")
            if left > descriptors + 40:
                problems.append(f"{kind}: {left - descriptors} descriptors are left open a minute later")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ballast", default="build/release/ballast", help="the binary")
    parser.add_argument("--proxy", choices=("ballast", "haproxy"), default="ballast")
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=15, help="of each attack")
    parser.add_argument("--any-p99", dest="judge_p99", action="store_false",
                        help="for a build with sanitizers, whose times say nothing: only what is lost and left is judged")
    arguments = parser.parse_args()
    arguments.ballast = str(pathlib.Path(arguments.ballast).resolve())
    if missing := [each for each in ("slowhttptest", "nginx") if shutil.which(each) is None]:
        print(f"SKIPPED: not installed: {', '.join(missing)}")
        return 0
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = 2 * arguments.connections + 1000
    if hard != resource.RLIM_INFINITY and hard < needed:
        print(f"SKIPPED: {needed} descriptors are needed, and at most {hard} are allowed here")
        return 0
    print("| proxy | attack | slow clients | p99 ms, attack elsewhere | p99 ms under it | good requests lost | descriptors left |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="ballast-slow-") as folder:
        try:
            problems = asyncio.run(measure(arguments, pathlib.Path(folder)))
        except Failure as failure:
            print(failure, file=sys.stderr)
            return 1
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems and arguments.proxy == "ballast" else 0


if __name__ == "__main__":
    sys.exit(main())

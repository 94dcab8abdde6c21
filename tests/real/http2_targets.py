#!/usr/bin/env python3
"""HTTP/2 to targets: nginx as the target, in the clear and over TLS; it reloads under load, and is killed.

    tests/real/http2_targets.py --ballast build/test/ballast
"""

import argparse
import asyncio
import grp
import os
import pathlib
import pwd
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import certificates  # noqa: E402
from kit.ballast import Ballast, complete_config, run  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.peer import free_port  # noqa: E402

START_SECONDS = 15.0
LOAD_SECONDS = 6.0
LOAD_REQUESTS_A_SECOND = 100


def nginx_config(folder: pathlib.Path, clear: int, secure: int, behind: str) -> str:
    user = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"
    temporary = "\n".join(f"  {kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
user {user};
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_max_body_size 0;
{temporary}
  server {{
    listen 127.0.0.1:{clear} http2;
    listen 127.0.0.1:{secure} ssl http2;
    ssl_certificate {folder.parent}/inside.crt;
    ssl_certificate_key {folder.parent}/inside.key;
    location = /large {{ root {folder.parent}; }}
    location = /none {{ return 404 "none\\n"; }}
    location = /empty {{ return 204; }}
    location /whoami/ {{ proxy_pass http://{behind}/; }}
    location / {{ return 200 "$server_protocol $https $connection $host\\n"; }}
  }}
}}
"""


class Nginx:
    """One nginx that speaks HTTP/2 on two ports."""

    def __init__(self, folder: pathlib.Path, behind: str):
        self.folder = folder
        self.process: asyncio.subprocess.Process | None = None
        self.clear, self.secure = free_port(), free_port()
        folder.mkdir()
        (folder / "nginx.conf").write_text(nginx_config(folder, self.clear, self.secure, behind))

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            "nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr", start_new_session=True)
        async with asyncio.timeout(START_SECONDS):
            while not (self.folder / "nginx.pid").exists():
                await asyncio.sleep(0.05)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    async def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # of the session made for it: its workers too
        await self.process.wait()

    async def stop(self) -> None:
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()


async def ask(address: str, path: str) -> str:
    """One GET over a connection of its own: "STATUS BODY", or what went wrong."""
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n".encode())
            answer = (await asyncio.wait_for(reader.read(), 20)).decode()
        finally:
            writer.close()
    except (OSError, TimeoutError) as error:
        return f"lost: {error!r}"
    head, _, body = answer.partition("\r\n\r\n")
    return f"{head.split(' ')[1] if ' ' in head else 'nothing'} {body.strip()}"


async def load(address: str, seconds: float) -> list[str]:
    """The answers of an open-model load that are not a 200."""
    began = time.monotonic()
    tasks = []
    for n in range(int(seconds * LOAD_REQUESTS_A_SECOND)):
        await asyncio.sleep(max(0.0, began + n / LOAD_REQUESTS_A_SECOND - time.monotonic()))
        tasks.append(asyncio.create_task(ask(address, f"/{n}")))
    return [answer for answer in await asyncio.gather(*tasks) if not answer.startswith("200 ")]


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


async def check(binary: str, folder: pathlib.Path) -> None:
    await certificates.make_certificate(folder, "inside", {"for": "app.internal"})
    (folder / "large").write_bytes(bytes(range(256)) * 40_000)
    behind = f"127.0.0.1:{free_port()}"
    whoami = await asyncio.create_subprocess_exec(binary, "whoami", "--listen", behind, stdout=asyncio.subprocess.PIPE)
    await whoami.stdout.readline()
    one, two = Nginx(folder / "one", behind), Nginx(folder / "two", behind)
    ballast = Ballast(binary, folder)
    try:
        await one.start()
        await two.start()
        config = folder / "ballast.yaml"
        config.write_text(complete_config(f"""
workers: 1
listeners:
  clear: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: clear }} }}
  secure: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: secure }} }}
  both: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: both }} }}
  moved: {{ address: "127.0.0.1:0", protocol: http, default: {{ forward: moved }} }}
target_groups:
  clear: {{ protocol: h2c, targets: [ "127.0.0.1:{one.clear}" ] }}
  secure: {{ protocol: h2, tls: {{ ca: ca.crt, server_name: app.internal }}, targets: [ "127.0.0.1:{one.secure}" ] }}
  both: {{ protocol: h2c, health_check: off, targets: [ "127.0.0.1:{one.clear}", "127.0.0.1:{two.clear}" ] }}
  moved: {{ protocol: h2c, health_check: off, targets: [ "127.0.0.1:{one.clear}" ] }}
""", folder, admin_http=ballast.admin_http))
        await ballast.start(config)
        listeners = await ballast.listeners()
        for name, tls in (("clear", ""), ("secure", "on")):
            await messages_pass(folder, listeners[name], tls)
        await target_leaves(ballast, config, listeners["moved"], one, two)
        await reload_and_kill(listeners["both"], one)
    finally:
        try:
            await ballast.stop()
        finally:
            for server in (one, two):
                await server.stop()
            whoami.terminate()
            await whoami.wait()


async def messages_pass(folder: pathlib.Path, address: str, tls: str) -> None:
    async def fetch(*words: str) -> str:
        done = await run("curl", "-sS", "--max-time", "30", *words, folder=folder)
        need(done.exit == 0, done.describe())
        return done.out

    # Many requests, one connection; and as many at once.
    said = {await ask(address, f"/{n}") for n in range(20)} | set(await asyncio.gather(*[ask(address, "/x") for _ in range(50)]))
    need(len(said) == 1, f"nginx saw several connections, or answered otherwise: {said}")
    status, protocol, *rest = said.pop().split()
    need((status, protocol) == ("200", "HTTP/2.0") and rest[-1] == "app.test" and (tls in rest or not tls), f"nginx saw {protocol} {rest}")
    for version in ("--http1.1", "--http1.0", "--http2-prior-knowledge"):
        await fetch(version, f"http://{address}/large", "-o", "got")
        need((folder / "got").read_bytes() == (folder / "large").read_bytes(), f"10 MB came otherwise than they went, {version}")
        need(await fetch(version, "-w", "%{http_code}", f"http://{address}/none") == "none\n404", f"a 404, {version}")
        need(await fetch(version, "-w", "%{http_code}", f"http://{address}/empty") == "204", f"a 204, {version}")
        need("ontent-" in await fetch(version, "-I", f"http://{address}/large"), f"HEAD, {version}")
    for words in (["--http1.1"], ["--http1.1", "-H", "Transfer-Encoding: chunked"], ["--http2-prior-knowledge"]):
        answer = await fetch(*words, "-H", "Expect:", "--data-binary", "@large", f"http://{address}/whoami/")
        need("body: 10240000 bytes" in answer, f"an upload, {words}: {answer}")
    # An upgrade is not passed on; the request is answered as an ordinary one.
    said = await fetch("-H", "Connection: upgrade", "-H", "Upgrade: websocket", f"http://{address}/")
    need(said.startswith("HTTP/2.0"), f"an upgrade: {said}")


async def target_leaves(ballast: Ballast, config: pathlib.Path, address: str, one: Nginx, two: Nginx) -> None:
    """A target that is taken out of the file while it works on a request: that one is answered, the next goes elsewhere."""
    slow = asyncio.create_task(ask(address, "/whoami/sleep/1500"))
    async with asyncio.timeout(10):
        while (await moved(ballast))["traffic"]["in_flight"] != 1:
            await asyncio.sleep(0.02)
    before = f"""moved: {{ protocol: h2c, health_check: off, targets: [ "127.0.0.1:{one.clear}" ] }}"""
    text = config.read_text()
    need(before in text, "the group stands otherwise in the file")
    config.write_text(text.replace(before, before.replace(str(one.clear), str(two.clear))))
    done = await ballast.command("apply", str(config))
    need(done.exit == 0, done.describe())
    need((await ask(address, "/")).startswith("200 "), "the new target does not answer")
    need((answer := await slow).startswith("200 "), f"the request under way: {answer}")
    async with asyncio.timeout(20):
        while len((await moved(ballast))["targets"]) != 1:
            await asyncio.sleep(0.02)


async def moved(ballast: Ballast) -> dict:
    return next(group for group in (await ballast.status())["groups"] if group["name"] == "moved")


async def reload_and_kill(address: str, one: Nginx) -> None:
    lost = asyncio.create_task(load(address, LOAD_SECONDS))
    for _ in range(5):
        await asyncio.sleep(LOAD_SECONDS / 6)
        one.reload()
    need(not (bad := await lost), f"{len(bad)} requests lost over reloads of a target: {bad[:5]}")
    lost = asyncio.create_task(load(address, LOAD_SECONDS / 2))
    await asyncio.sleep(LOAD_SECONDS / 4)
    await one.kill()
    need(not (bad := await lost), f"{len(bad)} requests lost over the kill of a target: {bad[:5]}")


def main() -> int:
    parser = argparse.ArgumentParser(description="HTTP/2 to targets.")
    parser.add_argument("--ballast", required=True)
    binary = str(pathlib.Path(parser.parse_args().ballast).resolve())
    missing = [program for program in ("nginx", "curl", "openssl") if not shutil.which(program)]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="ballast-h2-") as folder:
        try:
            asyncio.run(check(binary, pathlib.Path(folder)))
        except Failure as failure:
            print(f"http2_targets: {failure}", file=sys.stderr)
            return 1
    print("http2_targets: nginx is spoken to in the clear and over TLS, reloaded and killed with nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The proxies that churn drives: Ballast by its commands, nginx and HAProxy by their reloads, on the same port and targets.

A proxy has two configurations, "a" and "b", which differ in a rule and in one target; switch() makes the other one live.
"""

import asyncio
import json
import os
import pathlib
import pwd
import re
import shutil
import signal

from kit.ballast import Ballast, complete_config
from kit.failure import Failure
from kit.peer import free_port
from kit.target_process import TargetProcess

START_SECONDS = 20.0


class Targets:
    """Five that may be killed, one that holds the tunnel, two that share a name in the DNS, and three that are odd: one is
    gray (a third of its answers comes 300 ms late), two end connections at rest after times of their own, by FIN and by RST.

    Three of the five stay, one of the other two comes and the other goes with each change: while one is dead, one is drained
    and one is too new to have passed a check, there is always one that is known to be well.
    """

    def __init__(self, folder: pathlib.Path):
        self.site = [TargetProcess(f"site{n}", folder) for n in range(5)]
        self.chat = TargetProcess("chat", folder)
        first = TargetProcess("named1", folder)
        self.named = [first, TargetProcess("named2", folder, host="127.0.0.2", port=first.port)]
        self.odd = [TargetProcess("gray", folder, steps=("sometimes wait 300ms", "answer")),
                    TargetProcess("fin", folder, steps=("close after 5ms to 60ms", "answer")),
                    TargetProcess("rst", folder, steps=("reset after 5ms to 60ms", "answer"))]

    def all(self) -> list[TargetProcess]:
        return [*self.site, self.chat, *self.named, *self.odd]

    def of(self, variant: str) -> list[TargetProcess]:
        """Of the configuration a or b: four of the five."""
        return self.site[:4] if variant == "a" else self.site[:3] + self.site[4:]


class BallastProxy:
    name = "ballast"
    has_dns = True
    can_drain = True
    can_upgrade = True

    def __init__(self, binary: str, folder: pathlib.Path, targets: Targets, dns: str):
        self._folder, self._targets = folder, targets
        self._variant = "a"
        # Two files of the program, which take turns under the name that is run.
        self._versions = [folder / "ballast.one", folder / "ballast.two"]
        for version in self._versions:
            shutil.copy2(binary, version)
        self._program = folder / "ballast"
        self._install()
        self.ballast = Ballast(str(self._program), folder)
        self.ballast.environment["BALLAST_DNS_SERVERS"] = dns
        self.address = ""

    def _write(self, variant: str) -> pathlib.Path:
        path = self._folder / f"{variant}.yaml"
        path.write_text(complete_config(f"""
listeners:
  web:
    address: "127.0.0.1:0"
    protocol: http
    trusted_proxies: [ "127.0.0.0/8" ]
    rules:
      - {{ match: {{ path: /chat }}, forward: chat }}
      - {{ match: {{ path: "/named*" }}, forward: named }}
      - {{ match: {{ path: "/odd*" }}, forward: odd }}
      - {{ match: {{ header: {{ X-Variant: "{variant}" }} }}, fixed_response: {{ body: "{variant}" }} }}
    default: {{ forward: site }}
target_groups:
  site:
    protocol: http
    health_check: {{ interval: 200ms, timeout: 1s, healthy_threshold: 1, unhealthy_threshold: 1 }}
    deregistration_delay: 5s
    targets: [ {", ".join(f'"{each.address}"' for each in self._targets.of(variant))} ]
  odd:
    protocol: http
    health_check: {{ interval: 200ms, timeout: 1s, healthy_threshold: 1, unhealthy_threshold: 1 }}
    outliers: {{ interval: 500ms, slower: {{ gap: 20ms, requests_min: 5 }} }}
    targets: [ {", ".join(f'"{each.address}"' for each in self._targets.odd)} ]
  chat: {{ protocol: http, health_check: off, targets: [ "{self._targets.chat.address}" ] }}
  named: {{ protocol: http, health_check: off, targets: [ "app.test:{self._targets.named[0].port}" ] }}
""", self._folder, admin_http=self.ballast.admin_http))
        return path

    async def start(self) -> None:
        await self.ballast.start(self._write("a"))
        self.address = (await self.ballast.listeners())["web"]

    async def switch(self) -> None:
        self._variant = "b" if self._variant == "a" else "a"
        await self._command("apply", str(self._write(self._variant)))

    def _install(self) -> None:
        """As a package does: the new file takes the name in one step."""
        beside = self._folder / "ballast.next"
        os.link(self._versions[0], beside)
        beside.rename(self._program)
        self._versions.reverse()

    async def upgrade(self) -> bool:
        self._install()
        await self._command("upgrade")
        # The keeper as well goes on as the new program.
        async with asyncio.timeout(START_SECONDS):
            while os.stat(f"/proc/{self.ballast.pid}/exe").st_ino != self._program.stat().st_ino:
                await asyncio.sleep(0.01)
        return True

    def kill(self) -> int:
        """The process that serves, by its number."""
        serving = self.ballast.serving_pid
        os.kill(serving, signal.SIGKILL)
        return serving

    async def back(self, before: int) -> None:
        """Returns when another one answers commands."""
        async with asyncio.timeout(START_SECONDS):
            while not await self._serves_as_another(before):
                await asyncio.sleep(0.01)

    async def _serves_as_another(self, before: int) -> bool:
        done = await self.ballast.command("status", "--json")
        return done.exit == 0 and json.loads(done.out)["pid"] != before

    async def gray_weight(self) -> float:
        """What the gray target has left of its weight."""
        groups = {each["name"]: each for each in (await self.ballast.status())["groups"]}
        return next(each["passive_weight"] for each in groups["odd"]["targets"] if each["address"] == self._targets.odd[0].address)

    async def drain(self, target: TargetProcess) -> None:
        await self._command("target", "drain", "site", target.address)

    async def enable(self, target: TargetProcess) -> None:
        await self._command("target", "enable", "site", target.address)

    def tell(self, identities: set[str]) -> list[str]:
        """What the access log has of these requests."""
        return [line for line in self.ballast.access_log.read_text().splitlines()
                if any(f'"request_id":"{identity}"' in line for identity in identities)]

    async def _command(self, *words: str) -> None:
        # A command whose process was killed is asked again, as a person would; each of these may be asked twice.
        unreachable = 3
        for _ in range(20):
            done = await self.ballast.command(*words)
            if done.exit != unreachable:
                break
            await asyncio.sleep(0.1)
        if done.exit != 0:
            raise Failure(done.describe())

    async def stop(self) -> None:
        await self.ballast.stop()


class _Reloading:
    """A proxy that reads its file again on a signal."""

    has_dns = False
    can_drain = False
    can_upgrade = True
    reload_signal = signal.SIGHUP

    def __init__(self, folder: pathlib.Path, targets: Targets):
        self._folder, self._targets = folder, targets
        self._variant = "a"
        self._process: asyncio.subprocess.Process | None = None
        self.address = f"127.0.0.1:{free_port()}"

    def text(self, variant: str) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def file(self) -> pathlib.Path:
        return self._folder / f"{self.name}.cfg"

    async def start(self) -> None:
        self.file.write_text(self.text("a"))
        with open(self._folder / f"{self.name}.log", "wb") as log:
            self._process = await asyncio.create_subprocess_exec(*self.command(), stdout=log, stderr=log, cwd=self._folder)
        host, port = self.address.split(":")
        for _ in range(int(START_SECONDS / 0.1)):
            try:
                _, writer = await asyncio.open_connection(host, int(port))
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.1)
        raise Failure(f"{self.name} did not start:\n{(self._folder / f'{self.name}.log').read_text()[-2000:]}")

    async def switch(self) -> None:
        self._variant = "b" if self._variant == "a" else "a"
        self.file.write_text(self.text(self._variant))
        os.kill(self.master(), self.reload_signal)

    def master(self) -> int:
        return self._process.pid

    async def upgrade(self) -> bool:
        """Whether it could be done."""
        raise NotImplementedError

    async def stop(self) -> None:
        children = [*_descendants(self._process.pid), *_descendants(self.master()), self.master()]
        os.kill(self.master(), signal.SIGTERM)
        self._process.terminate()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        for pid in children:  # workers of earlier configurations that still hold the tunnel
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class NginxProxy(_Reloading):
    name = "nginx"
    # "The changing binary signal is ignored" while the process that started it lives, as under a supervisor and here.
    can_upgrade = False

    def command(self) -> list[str]:
        return ["nginx", "-p", str(self._folder), "-c", str(self.file), "-e", "stderr"]

    def text(self, variant: str) -> str:
        servers = "".join(f"server {each.address} max_fails=1 fail_timeout=1s; " for each in self._targets.of(variant))
        odd = "".join(f"server {each.address}; " for each in self._targets.odd)
        user = f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""
        temporary = "".join(f"{kind}_temp_path {self._folder}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""{user} worker_processes 2; daemon off; pid {self._folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off; {temporary}
    upstream site {{ {servers} keepalive 32; }}
    upstream odd {{ {odd} keepalive 32; }}
    server {{
        listen {self.address};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location /chat {{
            proxy_pass http://{self._targets.chat.address};
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
        }}
        location /named {{ proxy_pass http://{self._targets.named[0].address}; }}
        location /odd {{ proxy_pass http://odd; }}
        location / {{ if ($http_x_variant = {variant}) {{ return 200; }} proxy_pass http://site; }}
    }}
}}
"""


class HaproxyProxy(_Reloading):
    name = "haproxy"
    reload_signal = signal.SIGUSR2  # to the master; its workers hand the listening sockets over

    async def upgrade(self) -> bool:
        """Its master executes its program anew with each reload."""
        os.kill(self.master(), self.reload_signal)
        return True

    def command(self) -> list[str]:
        return ["haproxy", "-W", "-db", "-f", str(self.file)]

    def text(self, variant: str) -> str:
        servers = "".join(f"    server {each.name} {each.address} check inter 200ms fall 1 rise 1\n"
                          for each in self._targets.of(variant))
        odd = "".join(f"    server {each.name} {each.address} check inter 200ms fall 1 rise 1\n" for each in self._targets.odd)
        return f"""global
    nbthread 2
    stats socket {self._folder}/haproxy.sock mode 600 level admin expose-fd listeners
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    option redispatch
    retries 3
    retry-on conn-failure empty-response
frontend web
    bind {self.address}
    http-request disable-l7-retry if METH_POST
    use_backend chat if {{ path /chat }}
    use_backend named if {{ path_beg /named }}
    use_backend odd if {{ path_beg /odd }}
    http-request return status 200 if {{ req.hdr(x-variant) {variant} }}
    default_backend site
backend site
{servers}backend odd
{odd}backend chat
    server chat {self._targets.chat.address}
backend named
    server named {self._targets.named[0].address}
"""


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in re.findall(r"\d+", task.read_text()):
            found += [int(child), *_descendants(int(child))]
    return found

#!/usr/bin/env python3
"""Runs a .spec file: a whole-program scenario as short text.

    # The first line says what is true, in one sentence.
    origin a                              # a fake upstream; $a is its address. Its rules: origin.py
    origin t tcp: echo                    # a layer 4 one; `origin u udp: echo` of datagrams: datagrams.py
    certificate site for a.test,*.b.test  # $dir/site.crt, .key, by openssl; also `by CA` (default: ca), `kind rsa`,
                                          # `days 10`, `subject X`; again: a new one
    authority people                      # $dir/people.crt, .key;  origin a over tls site [clients of people]: ...
    nobody gone                           # $gone: an address that refuses;  deaf d: one that never accepts
    gate g to a: slice 1                  # a chaos proxy in front of it ($g). Its effects: gate.py
    dns app.test is 127.0.0.1 127.0.0.2   # the name server Ballast asks; later: dns app.test is silent; dns app.test is asked 4 more times
    start one $ ballast whoami ...        # a process beside it; $one is the address its first line of output ends with
    ports r 3                             # $r: 127.0.0.1 with a range of three ports; $r0, $r1, $r2: each of them
    port h                                # $h: an address on which something may be told to listen
    start h listening at $h $ haproxy ... # a process beside it, ready when that address accepts
    origin p proxied                      # as an origin or `origin p tcp proxied`, behind a PROXY header, which it reads
    skip without root                     # printed, and no more is run, by anybody else; `skip without mariadbd`: a program
    skip with UBSan                       # printed, and no more is run, where the binary was built with it
    start with descriptors 64             # or: start with environment NAME=VALUE; start without pipes (the kernel refuses them)

    config:                               # writes ballast.yaml and starts it; admin, state and log keys are added
      listeners: { web: { address: "127.0.0.1:0", protocol: http, default: { forward: site } } }
      target_groups: { site: { protocol: http, targets: [ "$a" ] } }

    client:                               # `client NAME to LISTENER from 127.0.0.2 over tls as example.test with CERT:`; a named one keeps its connection
        > POST /pay                       # completed with HTTP/1.1, Host and Content-Length; with a version: as it stands
        > X-Card: 1
        >
        > the body
        < 200                             # status (2xx too), headers as patterns with `*` or `~regex`, `no Header`,
        < X-Origin: a                     # `trailer X: y`, `body 7000 bytes`, `cut`; then the body
        <
        < the body
        send "GET / HTTP/1.1\\r\\n" in pieces of 1 every 10ms
        receive "raw bytes" | receive 70000 bytes | expect end [within 2s] | expect reset | expect end or reset
        expect silence 200ms | expect refused | open | close | half-close | end without goodbye (TLS) | reset | wait 100ms | repeat 5: ...
        stop reading | read on | crowd 100 (so many idle connections) | disperse
        keep cookies                      # from here on, and send them where a request says nothing of its own

    origin p was told "v2 tcp4 127.0.0.2 > 127.0.0.1"   # of one of its connections, a pattern; `local`, `unknown`
    origin a was reached from 127.0.0.5   # one of its connections
    origin a saw 1 request                # connections; `origin a saw 1 POST /pay`; `origin a has 0 connections open`
    origin a saw:                         # one of its requests was so
        > POST /pay
        > X-Forwarded-For: 127.0.0.1
    origin a goes on [in 300ms] (one `hold` of it) | origin a is stuck with at least 1000 bytes | origin a has nothing unsent | origin a stops | origin a starts again
    origin a: ... (new rules) | origin t received "..." | origin t ended by fin
    gate g cut now | gate g reset now

    config next.yaml: ...                 # writes another file, completed likewise;  file NAME: ... writes it as it stands; file NAME: 70000 bytes
    $ ballast apply next.yaml             # exit 0 unless said otherwise; `eventually $ ...` tries again until it holds
        says "text" | complains "text" (stderr) | exit 1 | json PATH is PATTERN | silent | not says "text"
    udp client to LISTENER:               # of a udp listener, or `to [::1]:5353`; its steps: datagrams.py
    origin u saw 3 datagrams | origin u saw 2 flows (so many addresses and ports it was asked from)
    metrics: / log:                       # one expectation a line; waits until they hold
    log has 2 records | log where path=/x has 1 target (so many different values) | log says "text" | metrics pass promtool | stderr says "text" | stderr never says "text"
    notify says READY=1 | signal TERM (to the keeper) | ballast pauses | ballast goes on | exits 0 within 5s | exits by KILL | ballast starts again | ballast has 0 pipes
"""

import argparse
import asyncio
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from kit import certificates, origin as origins, text  # noqa: E402
from kit.ballast import Ballast, Completed, complete_config, run  # noqa: E402
from kit.client import Client, check_request  # noqa: E402
from kit.datagrams import UdpOrigin, UdpScript  # noqa: E402
from kit.dns import Answer, DnsServer  # noqa: E402
from kit.failure import Failure, Violation  # noqa: E402
from kit.gate import Gate  # noqa: E402
from kit.peer import free_port, free_ports  # noqa: E402
from kit.observe import Metrics, Records, check_json  # noqa: E402
from kit.script import ClientScript, LocatedFailure, located  # noqa: E402

EVENTUALLY_SECONDS = 10.0
POLL_SECONDS = 0.05
STUCK_SECONDS = 0.5
_VARIABLE = re.compile(r"\$([a-z][a-z0-9_-]*)((?:\.port)?)")


class Skipped(Exception):
    """The scenario says that it cannot be run with this binary."""


class Spec:
    """The running scenario: its endpoints, its Ballast and what is known of both."""

    def __init__(self, binary: str, folder: pathlib.Path):
        self._folder = folder
        self._ballast = Ballast(binary, folder)
        self._origins: dict[str, origins.Origin | origins.TcpOrigin | UdpOrigin] = {}
        self._gates: dict[str, Gate] = {}
        self._clients: dict[str, ClientScript | UdpScript] = {}
        self._beside: list[asyncio.subprocess.Process] = []
        self._servers: list[asyncio.subprocess.Process] = []  # of others, whose exit status says nothing
        self._held: list[socket.socket] = []  # of `nobody` and `deaf`
        self._variables: dict[str, str] = {"dir": str(folder), "socket": str(folder / "admin.sock")}
        self._listeners: dict[str, str] = {}
        self._dns: DnsServer | None = None
        self._statements = [(re.compile(pattern), getattr(self, name)) for pattern, name in _STATEMENTS]

    async def run(self, lines: list[text.Line]) -> None:
        problems: list[str] = []
        try:
            for line in lines:
                await self._statement(line)
            for each in self._origins.values():
                if each.violations:
                    raise Failure(f"origin {each.name} got what no proxy may send:\n" + "\n".join(each.violations))
        except Failure as failure:
            problems.append(str(failure))
        finally:
            try:
                await self._end()
            except Failure as failure:  # a crash is often why a step failed: both are told
                problems.append(str(failure))
        if problems:
            raise Failure("\n".join(problems))

    async def _end(self) -> None:
        for client in self._clients.values():
            await client.close()
        try:
            await self._ballast.stop()
        finally:
            for process in self._beside:
                process.terminate()
                if (status := await process.wait()) != 0:
                    raise Failure(f"a process started beside ended with status {status}")
            for process in self._servers:
                if process.returncode is None:
                    process.terminate()
                await process.wait()
            for server in [*self._origins.values(), *self._gates.values()]:
                await server.stop()
            if self._dns:
                await self._dns.stop()
            for each in self._held:
                each.close()

    async def _statement(self, line: text.Line) -> None:
        try:
            line = await self._expand(line)
            for pattern, act in self._statements:
                if match := pattern.fullmatch(line.text):
                    await act(line, *match.groups())
                    return
            raise Failure("unknown statement")
        except (Violation, OSError, TimeoutError) as error:
            raise located(line, Failure(f"{type(error).__name__}: {error}")) from None
        except Failure as failure:
            raise located(line, failure) from None

    # Variables

    async def _expand(self, line: text.Line) -> text.Line:
        return text.Line(line.number, await self._filled(line.text), [await self._expand(each) for each in line.block],
                         await self._filled(line.raw))

    async def _filled(self, words: str) -> str:
        values = {name: self._variables.get(name) or await self._address(name)
                  for name in {match[1] for match in _VARIABLE.finditer(words)}}
        return _VARIABLE.sub(lambda match: values[match[1]].rpartition(":")[2] if match[2] else values[match[1]], words)

    async def _address(self, name: str) -> str:
        if name == "pid":
            return str(self._ballast.pid)
        if name == "serving":
            return str(self._ballast.serving_pid)
        if name == "binary":
            return self._ballast.binary
        if name == "admin":
            return self._ballast.admin_http
        if name not in self._listeners and self._ballast.running:
            self._listeners = await self._ballast.listeners()
        if name not in self._listeners:
            raise Failure(f"${name}: no origin, gate or listener is called so")
        return self._listeners[name]

    # Endpoints

    async def origin(self, line: text.Line, name: str, kind: str | None, proxied: str | None, certificate: str | None,
                     clients: str | None, steps: str | None) -> None:
        secure = certificates.server_context(self._folder, certificate, clients) if certificate else None
        if kind == " udp":
            made = UdpOrigin(name, [steps] if steps else [each.text for each in line.block])
        elif kind:
            made = origins.TcpOrigin(name, [steps] if steps else [each.text for each in line.block], secure=secure)
        elif name in self._origins:
            self._origins[name].rules = origins.parse_rules(line.block)
            return
        else:
            made = origins.Origin(name, origins.parse_rules(line.block), secure=secure)
        made.proxied = bool(proxied)
        await made.start()
        self._origins[name] = made
        self._variables[name] = made.address

    async def authority(self, _: text.Line, name: str) -> None:
        await certificates.make_authority(self._folder, name)

    async def certificate(self, _: text.Line, name: str, options: str) -> None:
        words = options.split()
        await certificates.make_certificate(self._folder, name, dict(zip(words[::2], words[1::2], strict=True)))

    async def origin_stops(self, _: text.Line, name: str) -> None:
        await self._origin(name).stop()

    async def origin_starts(self, _: text.Line, name: str) -> None:
        await self._origin(name).start()

    def _origin(self, name: str) -> origins.Origin | origins.TcpOrigin | UdpOrigin:
        if name not in self._origins:
            raise Failure(f"there is no origin {name}")
        return self._origins[name]

    async def origin_count(self, _: text.Line, name: str, wanted: str, what: str, path: str | None) -> None:
        origin = self._origin(name)

        def count() -> int:
            if what.startswith("connection"):
                return origin.connections
            if what.startswith("datagram"):
                return origin.datagrams
            if what.startswith("flow"):
                return len(origin.flows)
            return sum(1 for each in origin.requests if path is None and what.startswith("request")
                       or each.method == what and text.matches(path or "*", each.target))

        await _until(lambda: "" if count() == int(wanted) else f"origin {name} saw {count()} {what} {path or ''}, wanted {wanted}",
                     stop_early=lambda: count() > int(wanted))

    async def origin_saw(self, line: text.Line, name: str) -> None:
        origin = self._origin(name)
        wanted = text.transcript([each.text[1:].removeprefix(" ") for each in line.block])

        def problem() -> str:
            why = "-"
            for request in origin.requests:
                try:
                    check_request(wanted, request)
                    return ""
                except Failure as failure:
                    why = str(failure)
            return f"none of {len(origin.requests)} requests is so; the last: {why}"

        await _until(problem)

    async def origin_open(self, _: text.Line, name: str, wanted: str) -> None:
        origin = self._origin(name)
        await _until(lambda: "" if origin.open == int(wanted) else f"{origin.open} connections are open")

    async def origin_told(self, _: text.Line, name: str, pattern: str) -> None:
        origin = self._origin(name)
        await _until(lambda: "" if any(text.matches(pattern, each) for each in origin.told)
                     else f"origin {name} was told: {', '.join(origin.told) or 'nothing'}")

    async def origin_reached(self, _: text.Line, name: str, address: str) -> None:
        origin = self._origin(name)
        await _until(lambda: "" if address in origin.sources else f"origin {name} was reached from {origin.sources}")

    async def origin_goes_on(self, _: text.Line, name: str, later: str | None) -> None:
        going = self._origin(name).going
        if later:
            asyncio.get_running_loop().call_later(text.seconds(later), going.release)
        else:
            going.release()

    async def origin_stuck(self, _: text.Line, name: str, least: str) -> None:
        """Nobody takes its bytes any more: as many are left as half a second ago."""
        origin = self._origin(name)
        before, same = -1, 0
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while same < STUCK_SECONDS / POLL_SECONDS:
            now = sum(peer.unsent() for peer in origin.server.peers)
            before, same = now, same + 1 if now == before else 0
            if now < int(least) and same or time.monotonic() > deadline:
                raise Failure(f"{now} bytes are not sent")
            await asyncio.sleep(POLL_SECONDS)

    async def origin_unsent(self, _: text.Line, name: str) -> None:
        origin = self._origin(name)
        await _until(lambda: f"{found} bytes are not sent" if (found := sum(peer.unsent() for peer in origin.server.peers)) else "")

    async def origin_received(self, _: text.Line, name: str, what: str) -> None:
        origin, data = self._origin(name), origins.parse_send(what)[0]
        await _until(lambda: "" if bytes(origin.received) == data
                     else f"origin {name} received {len(origin.received)} bytes: {bytes(origin.received[:200])!r}")

    async def origin_ended(self, _: text.Line, name: str, how: str) -> None:
        origin = self._origin(name)
        await _until(lambda: "" if how in origin.ends else f"connections ended by: {', '.join(origin.ends) or 'none yet'}")

    async def nobody(self, _: text.Line, name: str) -> None:
        self._hold(name)

    async def deaf(self, _: text.Line, name: str) -> None:
        """Its queue of one is full, so that the kernel leaves every further SYN unanswered."""
        held = self._hold(name)
        held.listen(0)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(held.getsockname())
            self._held.append(filler)

    def _hold(self, name: str) -> socket.socket:
        held = socket.socket()
        held.bind(("127.0.0.1", 0))
        self._held.append(held)
        self._variables[name] = f"127.0.0.1:{held.getsockname()[1]}"
        return held

    async def gate(self, line: text.Line, name: str, to: str, effect: str | None) -> None:
        target = self._variables.get(to) or await self._address(to)
        made = Gate(name, target, [effect] if effect else [each.text for each in line.block])
        await made.start()
        self._gates[name] = made
        self._variables[name] = made.address

    async def gate_effects(self, line: text.Line, name: str, effect: str | None) -> None:
        self._gates[name].set([effect] if effect else [each.text for each in line.block])

    async def gate_now(self, _: text.Line, name: str, what: str) -> None:
        self._gates[name].act_now(what)

    async def dns(self, _: text.Line, name: str, what: str) -> None:
        if not self._dns:
            self._dns = DnsServer()
            await self._dns.start()
            self._ballast.environment["BALLAST_DNS_SERVERS"] = self._dns.address
        if what == "fails":
            self._dns.names[name] = Answer([], fails=True)
        elif what == "is silent":
            self._dns.names[name] = Answer([], silent=True)
        else:
            self._dns.names[name] = Answer(what.removeprefix("is").split())

    async def dns_asked(self, _: text.Line, name: str, times: str) -> None:
        wanted = self._dns.asked.count(name) + int(times)
        await _until(lambda: "" if self._dns.asked.count(name) >= wanted else f"it was asked {self._dns.asked.count(name)} times")

    async def client(self, line: text.Line, name: str | None, to: str | None, source: str | None, tls: str | None,
                     host: str | None, certificate: str | None) -> None:
        if name and name in self._clients:
            script = self._clients[name]
        else:
            address = self._variables[to] if to in self._variables else await self._address(to or await self._only_listener())
            secure = certificates.client_context(self._folder, certificate) if tls else None
            script = ClientScript(name or "client", address, source or "", secure, host or "example.test")
        try:
            await script.run(line.block)
        finally:
            if name:
                self._clients[name] = script
            else:
                await script.close()

    async def udp_client(self, line: text.Line, name: str | None, to: str | None, source: str | None) -> None:
        script = self._clients.get(name)
        if not script:
            known = self._variables.get(to, to if to and ":" in to else None)
            address = known or await self._address(to or await self._only_listener())
            script = UdpScript(address, source or "")
        try:
            await script.run(line.block)
        finally:
            if name:
                self._clients[name] = script
            else:
                await script.close()

    async def _only_listener(self) -> str:
        if not self._listeners:
            self._listeners = await self._ballast.listeners()
        return next(iter(self._listeners))

    # Ballast

    async def start_beside(self, _: text.Line, name: str, words: str) -> None:
        command = [self._ballast.binary if word == "ballast" else word for word in shlex.split(words)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=self._folder)
        self._beside.append(process)
        async with asyncio.timeout(EVENTUALLY_SECONDS):
            said = (await process.stdout.readline()).decode().split()
        if not said:
            raise Failure(f"it said nothing and ended with status {await process.wait()}")
        self._variables[name] = said[-1]

    async def port(self, _: text.Line, name: str) -> None:
        self._variables[name] = f"127.0.0.1:{free_port()}"

    async def ports(self, _: text.Line, name: str, count: str) -> None:
        first = free_ports(int(count))
        self._variables[name] = f"127.0.0.1:{first}-{first + int(count) - 1}"
        for n in range(int(count)):
            self._variables[f"{name}{n}"] = f"127.0.0.1:{first + n}"

    async def start_listening(self, _: text.Line, name: str, address: str, words: str) -> None:
        command = shlex.split(words)
        with open(self._folder / f"{name}.out", "wb") as out:
            process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                                                           cwd=self._folder)
        self._servers.append(process)

        async def problem() -> str:
            if process.returncode is not None:
                raise Failure(f"it ended with status {process.returncode}:\n{(self._folder / f'{name}.out').read_text()[-2000:]}")
            try:
                if address.startswith("unix:"):
                    _, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
                else:
                    _, writer = await asyncio.open_connection(address.rpartition(":")[0], int(address.rpartition(":")[2]))
            except OSError as error:
                return f"{address}: {error}"
            writer.close()
            return ""

        await _until_async(problem)

    async def skip_without_root(self, line: text.Line) -> None:
        if os.geteuid() != 0:
            raise Skipped(f"line {line.number}: {line.text}")

    async def skip_without(self, line: text.Line, program: str) -> None:
        if not shutil.which(program):
            raise Skipped(f"line {line.number}: {line.text}")

    async def skip_with_ubsan(self, line: text.Line) -> None:
        if b"__ubsan_handle" in pathlib.Path(self._ballast.binary).read_bytes():
            raise Skipped(f"line {line.number}: {line.text}")

    async def start_without_pipes(self, _: text.Line) -> None:
        self._ballast.denied_pipes = True

    async def pipes(self, _: text.Line, least: str | None, wanted: str) -> None:
        def problem() -> str:
            found = self._ballast.pipes_open()
            good = found >= int(wanted) if least else found == int(wanted)
            return "" if good else f"{found} pipes are open"

        await _until(problem)

    async def start_with(self, _: text.Line, what: str, value: str) -> None:
        if what == "descriptors":
            self._ballast.descriptors = int(value)
        else:
            name, _, content = value.partition("=")
            self._ballast.environment[name] = content

    async def config(self, line: text.Line, name: str | None) -> None:
        path = self._folder / (name or "ballast.yaml")
        path.write_text(complete_config(line.raw, self._folder, admin_http=self._ballast.admin_http))
        self._listeners = {}
        if not name:
            await self._ballast.start(path)

    async def starts_again(self, _: text.Line) -> None:
        self._listeners = {}
        await self._ballast.start(self._folder / "ballast.yaml")

    async def file(self, line: text.Line, name: str, size: str | None) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if size:
            path.write_bytes(text.pattern_bytes(int(size)))
        else:
            path.write_text(line.raw)

    async def command(self, line: text.Line, eventually: str | None, words: str) -> None:
        checks = [each.text for each in line.block]
        deadline = time.monotonic() + (EVENTUALLY_SECONDS if eventually else 0)
        while True:
            done = await self._run(shlex.split(words))
            problem = next(filter(None, (_check_output(done, check) for check in checks)), "")
            if not problem and not any(check.startswith("exit ") for check in checks) and done.exit != 0:
                problem = f"exit {done.exit}, wanted 0"
            if not problem:
                break
            if time.monotonic() > deadline:
                raise Failure(f"{problem}\n{done.describe()}")
            await asyncio.sleep(POLL_SECONDS)
        self._listeners = {}  # a command may have changed them

    async def _run(self, words: list[str]) -> Completed:
        if words[0] == "ballast":
            return await self._ballast.command(*words[1:])
        return await run(*words, folder=self._folder)

    async def send_signal(self, _: text.Line, name: str) -> None:
        self._ballast.signal(getattr(signal, f"SIG{name}"))

    async def pauses(self, _: text.Line) -> None:
        await self._ballast.pause()

    async def resumes(self, _: text.Line) -> None:
        self._ballast.go_on()

    async def exits(self, _: text.Line, status: str, within: str | None) -> None:
        got = await self._ballast.wait_exit(text.seconds(within) if within else EVENTUALLY_SECONDS)
        if got != int(status):
            raise Failure(f"exit status {got}\n{self._ballast.stderr()[-2000:]}")

    async def exits_by(self, _: text.Line, name: str) -> None:
        got = await self._ballast.wait_exit(EVENTUALLY_SECONDS)
        if got != -getattr(signal, f"SIG{name}"):
            raise Failure(f"exit status {got}")

    async def notify(self, _: text.Line, what: str) -> None:
        await _until(lambda: "" if any(text.matches(what, said) for said in self._ballast.notify.drain())
                     else f"it said: {', '.join(self._ballast.notify.said)}")

    async def wait(self, _: text.Line, pause: str) -> None:
        await asyncio.sleep(text.seconds(pause))

    # What it tells

    async def metrics(self, line: text.Line) -> None:
        wanted = [each.text for each in line.block]

        async def problem() -> str:
            metrics = Metrics(await self._metrics_text())
            return "\n".join(filter(None, map(metrics.check, wanted)))

        await _until_async(problem)

    async def metrics_promtool(self, _: text.Line) -> None:
        if not shutil.which("promtool"):
            print("SKIPPED: promtool is not installed (Debian package prometheus)")
            return
        done = await run("promtool", "check", "metrics", folder=self._folder, given=(await self._metrics_text()).encode())
        if done.exit != 0 or done.out.strip() or done.err.strip():
            raise Failure(done.describe())

    async def _metrics_text(self) -> str:
        client = await Client.connect("metrics", self._ballast.admin_http)
        await client.request(text.transcript(["GET /metrics"]))
        response = await client.response()
        await client.peer.close()
        if response.status != 200:
            raise Failure(response.describe())
        return response.body.decode()

    async def log(self, line: text.Line) -> None:
        wanted = [each.text for each in line.block]
        await _until(lambda: "\n".join(filter(None, map(Records(self._log_text()).check, wanted))))

    async def log_has(self, _: text.Line, count: str) -> None:
        await _until(lambda: "" if len(self._log_text().splitlines()) == int(count) else f"the log is\n{self._log_text()}")

    async def log_distinct(self, _: text.Line, wanted: str, count: str, key: str) -> None:
        def problem() -> str:
            found = Records(self._log_text()).distinct(wanted, key)
            return "" if len(found) == int(count) else f"{key} is one of {sorted(found)}"

        await _until(problem)

    async def log_says(self, _: text.Line, pattern: str) -> None:
        await _until(lambda: "" if any(text.matches(f"*{pattern}*" if not pattern.startswith("~") else pattern, row)
                                       for row in self._log_text().splitlines()) else f"the log is\n{self._log_text()}")

    def _log_text(self) -> str:
        path = self._ballast.access_log
        return path.read_text(errors="replace") if path.exists() else ""

    async def stderr_says(self, _: text.Line, what: str) -> None:
        await _until(lambda: "" if what in self._ballast.stderr() else f"stderr is\n{self._ballast.stderr()}")

    async def stderr_never_says(self, _: text.Line, what: str) -> None:
        if what in self._ballast.stderr():
            raise Failure(f"stderr is\n{self._ballast.stderr()}")

    def report(self) -> str:
        """What helps to see why, behind the failure itself."""
        parts = []
        for name in ("stderr.log", "access.log"):
            path = self._folder / name
            if path.exists() and path.stat().st_size:
                parts.append(f"--- {name}\n{path.read_text(errors='replace')[-3000:]}")
        return "\n".join(parts)


_STATEMENTS = [
    (r"origin (\w+)( tcp| udp)?( proxied)?(?: over tls (\w+)(?: clients of (\w+))?)?(?:: *(.+)|:?)", "origin"),
    (r"origin (\w+) goes on(?: in (\w+))?", "origin_goes_on"),
    (r"origin (\w+) is stuck with at least (\d+) bytes", "origin_stuck"),
    (r"origin (\w+) has nothing unsent", "origin_unsent"),
    (r"authority (\w+)", "authority"),
    (r"certificate (\w+)((?: \w+ \S+)*)", "certificate"),
    (r"origin (\w+) stops", "origin_stops"),
    (r"origin (\w+) starts again", "origin_starts"),
    (r"origin (\w+) saw (\d+) (requests?|connections?|datagrams?|flows?|[A-Z]+)(?: (\S+))?", "origin_count"),
    (r"origin (\w+) saw:", "origin_saw"),
    (r"origin (\w+) has (\d+) connections? open", "origin_open"),
    (r'origin (\w+) was told "(.+)"', "origin_told"),
    (r"origin (\w+) was reached from (\S+)", "origin_reached"),
    (r"origin (\w+) received (.+)", "origin_received"),
    (r"origin (\w+) ended by (fin|reset)", "origin_ended"),
    (r"nobody (\w+)", "nobody"),
    (r"deaf (\w+)", "deaf"),
    (r"gate (\w+) to (\w+)(?:: *(.+)|:?)", "gate"),
    (r"gate (\w+) (cut|reset) now", "gate_now"),
    (r"gate (\w+):(?: *(.+))?", "gate_effects"),
    (r"dns (\S+) is asked (\d+) more times", "dns_asked"),
    (r"dns (\S+) (is.*|fails)", "dns"),
    (r"client(?: (?!to |from |over tls)(\w+))?(?: to (\w+))?(?: from ([\d.]+))?(?:( over tls)(?: as (\S+?))?(?: with (\w+))?)?:", "client"),
    (r"udp client(?: (?!to |from )(\w+))?(?: to (\S+?))?(?: from (\S+?))?:", "udp_client"),
    (r"skip with UBSan", "skip_with_ubsan"),
    (r"skip without root", "skip_without_root"),
    (r"skip without (\w+)", "skip_without"),
    (r"start (\w+) \$ (.+)", "start_beside"),
    (r"start (\w+) listening at (\S+) \$ (.+)", "start_listening"),
    (r"port (\w+)", "port"),
    (r"ports (\w+) (\d+)", "ports"),
    (r"start without pipes", "start_without_pipes"),
    (r"ballast has (at least )?(\d+) pipes?", "pipes"),
    (r"start with (descriptors|environment) (.+)", "start_with"),
    (r"ballast starts again", "starts_again"),
    (r"config(?: (\S+))?:", "config"),
    (r"file (\S+):(?: (\d+) bytes)?", "file"),
    (r"(eventually )?\$ (.+)", "command"),
    (r"signal (?!STOP|CONT)(\w+)", "send_signal"),  # those would stop the keeper, and not what serves
    (r"ballast pauses", "pauses"),
    (r"ballast goes on", "resumes"),
    (r"exits (\d+)(?: within (\w+))?", "exits"),
    (r"exits by (\w+)", "exits_by"),
    (r"notify says (.+)", "notify"),
    (r"wait (\w+)", "wait"),
    (r"metrics:", "metrics"),
    (r"metrics pass promtool", "metrics_promtool"),
    (r"log:", "log"),
    (r"log has (\d+) records?", "log_has"),
    (r"log where (.+) has (\d+) (\w+)", "log_distinct"),
    (r'log says "(.*)"', "log_says"),
    (r'stderr says "(.*)"', "stderr_says"),
    (r'stderr never says "(.*)"', "stderr_never_says"),
]


def _check_output(done: Completed, check: str) -> str:
    word, _, rest = check.partition(" ")
    if word == "exit":
        return "" if done.exit == int(rest) else f"exit {done.exit}, wanted {rest}"
    if word == "json":
        return check_json(done.out, rest)
    if check == "silent":
        return "" if not done.out and not done.err else "it is not silent"
    match = re.fullmatch(r'(not )?(says|complains) "(.*)"', check)
    if not match:
        raise Failure(f"unknown expectation: {check}")
    where = done.out if match[2] == "says" else done.err
    found = match[3] in where if "*" not in match[3] else any(text.matches(f"*{match[3]}*", row) for row in where.splitlines())
    return "" if found != bool(match[1]) else f"{check}: not so"


async def _until(problem, stop_early=lambda: False) -> None:
    """Waits until problem() gives nothing."""
    async def asked() -> str:
        return problem()

    await _until_async(asked, stop_early)


async def _until_async(problem, stop_early=lambda: False) -> None:
    deadline = time.monotonic() + EVENTUALLY_SECONDS
    while found := await problem():
        if time.monotonic() > deadline or stop_early():
            raise Failure(found)
        await asyncio.sleep(POLL_SECONDS)


async def _main() -> int:
    parser = argparse.ArgumentParser(description="Runs a scenario against the real binary.")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--ballast", required=True, help="the binary")
    arguments = parser.parse_args()
    binary = str(pathlib.Path(arguments.ballast).resolve())
    with tempfile.TemporaryDirectory(prefix="ballast-spec-") as folder:
        spec = Spec(binary, pathlib.Path(folder))
        try:
            await spec.run(text.parse(arguments.file.read_text()))
        except Skipped as skipped:
            print(f"SKIPPED: {arguments.file}: {skipped}")
        except (Failure, LocatedFailure) as failure:
            print(f"{arguments.file}: {failure}\n{spec.report()}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))

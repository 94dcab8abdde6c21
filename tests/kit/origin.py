"""Origin: a fake upstream that does on purpose what real ones do by accident.

It reads strictly, records every byte and every request, and answers by a script of rules:

    > once POST /pay          # once | N times | reused (not the first of its connection); method and path take `*`
    before body               # act on the head alone; without it the whole request is read first
    wait 2s
    < 200                     # completed with X-Origin and its framing; `< HTTP/1.1 200 OK` is sent exactly as written
    < Content-Type: text/plain
    <
    < paid
    send "raw bytes" * 3 in pieces of 1 every 10ms
    sometimes wait 300ms      # one time in three
    answer                    # as where no rule matches
    close | reset | half-close | hang | hold | tunnel | echo | echo chunked | read body
    close after 300ms | reset after 5ms to 60ms   # once the connection has rested so long; by chance in between

`hold` waits until the scenario says that this origin goes on; each `goes on` lets one hold pass, now or when it comes.

Where no rule matches: an upgrade is granted and tunnelled as an echo, a body is echoed, anything else gets the origin's
name. `> (connect)` acts as soon as a connection comes.
"""

import argparse
import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import os
import random
import re
import signal
import ssl

from kit import proxy_header, text, wire
from kit.failure import Failure, Violation
from kit.peer import Peer, Server

FOREVER = 3600.0
CONNECT = "(connect)"
_WEBSOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


@dataclasses.dataclass
class Rule:
    method: str
    path: str
    times: int | None
    reused: bool
    steps: list[str] = dataclasses.field(default_factory=list)
    used: int = 0

    @property
    def early(self) -> bool:
        return bool(self.steps) and self.steps[0] == "before body"

    def takes(self, request: wire.Message, *, reused: bool) -> bool:
        if request.method == CONNECT and self.method != CONNECT:
            return False  # `> *` is every request, and a connection is none
        return ((self.times is None or self.used < self.times) and (reused or not self.reused)
                and text.matches(self.method, request.method) and text.matches(self.path, request.target))


def parse_rules(lines: list[text.Line]) -> list[Rule]:
    rules: list[Rule] = []
    for line in lines:
        if line.text.startswith(">"):
            rules.append(_parse_rule(line.text[1:].split()))
        elif not rules:
            raise Failure(f"line {line.number}: an action before any `> METHOD PATH`: {line.text}")
        else:
            rules[-1].steps.append(line.text)
    return rules


def _parse_rule(words: list[str]) -> Rule:
    times, reused = None, False
    while words and words[0] in ("once", "reused") or len(words) > 1 and words[1] == "times":
        if words[0] == "reused":
            reused = True
        else:
            times = 1 if words[0] == "once" else int(words[0])
            words = words[1:] if words[0] != "once" else words
        words = words[1:]
    if words == [CONNECT]:
        return Rule(CONNECT, "", times, reused)
    method, path = words if len(words) == 2 else ("*", words[0])
    return Rule(method, path, times, reused)


class Origin:
    def __init__(self, name: str, rules: list[Rule], *, host: str = "127.0.0.1", port: int = 0, keep: bool = True,
                 journal: str = "", secure: ssl.SSLContext | None = None):
        """keep: record the requests. journal: a file that gets the X-Id of each POST before it is answered."""
        self.name = name
        self.rules = rules
        self.requests: list[wire.Message] = []
        self.connections = 0
        self.open = 0
        self.violations: list[str] = []
        self.proxied = False
        self.told: list[str] = []  # by PROXY headers
        self.sources: set[str] = set()
        self.going = asyncio.Semaphore(0)
        self.server = Server(self._serve, host=host, port=port, secure=secure)
        self._keep = keep
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if journal else None

    @property
    def address(self) -> str:
        return self.server.address

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def _serve(self, peer: Peer) -> None:
        self.connections += 1
        self.open += 1
        self.sources.add(peer.writer.get_extra_info("peername")[0])
        try:
            if self.proxied:
                self.told.append(await proxy_header.read(peer.source))
            await _Conversation(self, peer, self.connections).run()
        except wire.Ended as ended:
            if ended.left:
                self.violations.append(f"a connection ended inside a request head: {ended.left!r}")
        except Violation as violation:
            self.violations.append(str(violation))
        finally:
            self.open -= 1

    def record(self, request: wire.Message) -> None:
        if self._keep:
            self.requests.append(request)
        identity = request.fields.get("x-id")
        if self._journal is not None and identity and request.method == "POST":
            os.write(self._journal, f"{identity}\n".encode())

    def rule(self, request: wire.Message, *, reused: bool) -> Rule | None:
        rule = next((rule for rule in self.rules if rule.takes(request, reused=reused)), None)
        if rule:
            rule.used += 1
        return rule


class _Over(Exception):
    """The script ended the connection."""


class _Conversation:
    """One connection of an upstream."""

    def __init__(self, origin: Origin, peer: Peer, number: int):
        self._origin, self._peer, self._number = origin, peer, number
        self._idle = (FOREVER, FOREVER)
        self._idle_end = "close"
        self._request: wire.Message | None = None
        self._body_read = False

    async def run(self) -> None:
        connecting = self._origin.rule(wire.Message((CONNECT, ""), "", wire.Fields([])), reused=False)
        served = 0
        with contextlib.suppress(_Over):
            if connecting:
                await self._steps(connecting.steps)
            while await self._another():
                await self._one(reused=served > 0)
                served += 1

    async def _another(self) -> bool:
        """Whether a request begins before the idle timeout of this upstream."""
        if self._peer.source.waiting():
            return True
        try:
            async with asyncio.timeout(random.uniform(*self._idle)):
                await self._peer.source.fill()
                return True
        except wire.Ended:
            return False
        except TimeoutError:
            if self._idle_end == "reset":
                self._peer.reset()
            else:
                await self._peer.close()
            return False

    async def _one(self, *, reused: bool) -> None:
        source = self._peer.source
        request = self._request = await wire.read_request_head(source)
        self._body_read = False
        request.connection = self._number
        rule = self._origin.rule(request, reused=reused)
        self._origin.record(request)
        if not (rule and rule.early):
            await self._read_body()
        if rule:
            await self._steps(rule.steps)
        else:
            await self._default()
        if "close" in request.fields.tokens("connection"):
            await self._peer.close()
            raise _Over
        await self._read_body()

    async def _read_body(self) -> None:
        if self._body_read:
            return
        self._body_read = True
        if "100-continue" in self._request.fields.tokens("expect"):
            await self._peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await wire.read_request_body(self._peer.source, self._request)
        if not self._request.complete:
            await self._end_when_cut()

    async def _end_when_cut(self) -> None:
        await self._peer.close()
        raise _Over

    async def _default(self) -> None:
        request = self._request
        if "upgrade" in request.fields.tokens("connection"):
            await self._switch()
        elif request.body:
            await self._echo(chunked=False)
        else:
            await self._respond(text.Transcript("200", body=[self._origin.name]))

    async def _steps(self, steps: list[str]) -> None:
        at = 0
        while at < len(steps):
            if steps[at].startswith("<"):
                rows = [steps[at][1:].strip()]
                at += 1
                while at < len(steps) and steps[at].startswith("<") and not is_status(steps[at]):
                    rows.append(steps[at][1:].strip())
                    at += 1
                await self._respond(text.transcript(rows))
            else:
                await self._step(steps[at])
                at += 1

    async def _step(self, step: str) -> None:
        peer = self._peer
        word, _, rest = step.partition(" ")
        if step == "before body":
            return
        if step == "read body":
            await self._read_body()
        elif word == "wait":
            await self._wait(text.seconds(rest))
        elif word == "send":
            data, piece, every = parse_send(rest)
            await peer.send(data, piece=piece, every=every)
        elif word == "echo":
            await self._echo(chunked=rest == "chunked")
        elif step == "tunnel":
            await self._tunnel()
        elif idle := re.fullmatch(r"(close|reset) after (\w+)(?: to (\w+))?", step):
            self._idle_end = idle[1]
            self._idle = (text.seconds(idle[2]), text.seconds(idle[3] or idle[2]))
        elif word == "sometimes":
            if random.random() < 1 / 3:
                await self._step(rest)
        elif step == "answer":
            await self._default()
        elif step == "half-close":
            peer.half_close()
        elif step == "hang":
            await self._wait(FOREVER)
        elif step == "hold":
            await self._hold()
        elif step == "close":
            await peer.close()
            raise _Over
        elif step == "reset":
            peer.reset()
            raise _Over
        else:
            raise Failure(f"origin {self._origin.name}: unknown action: {step}")

    async def _wait(self, pause: float) -> None:
        """Waits, but notices when the proxy hangs up meanwhile."""
        try:
            async with asyncio.timeout(pause):
                while True:
                    await self._peer.source.fill()
        except TimeoutError:
            return
        except wire.Ended:
            await self._peer.close()
            raise _Over from None

    async def _hold(self) -> None:
        cut = asyncio.create_task(self._wait(FOREVER))
        going = asyncio.create_task(self._origin.going.acquire())
        try:
            await asyncio.wait({cut, going}, return_when=asyncio.FIRST_COMPLETED)
            if cut.done():
                await cut
        finally:
            cut.cancel()
            going.cancel()

    async def _respond(self, message: text.Transcript) -> None:
        first = message.first if message.exact else f"HTTP/1.1 {message.first}" + (" Answer" if " " not in message.first else "")
        status = (message.first.split()[1] if message.exact else message.first)[:3]
        framed = status[0] != "1" and status not in ("204", "304")
        extra = [("X-Origin", self._origin.name)] if status[0] != "1" else []
        data = text.compose(message, first, extra, framed=framed)
        if self._request and self._request.method == "HEAD" and not message.exact:
            data = data[:data.index(b"\r\n\r\n") + 4]
        await self._peer.send(data)

    async def _echo(self, *, chunked: bool) -> None:
        body = self._request.body
        head = f"HTTP/1.1 200 OK\r\nX-Origin: {self._origin.name}\r\n".encode()
        if chunked:
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            trailers = "".join(f"{name}: {value}\r\n" for name, value in self._request.trailers.items).encode()
            coded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"
            await self._peer.send(head + b"Transfer-Encoding: chunked\r\n\r\n" + coded)
        else:
            await self._peer.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _switch(self) -> None:
        request = self._request
        key = (request.fields.get("sec-websocket-key") or "").encode()
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_KEY).digest()).decode()
        protocol = request.fields.get("upgrade")
        await self._peer.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: {protocol}\r\nConnection: Upgrade\r\n"
                              f"Sec-WebSocket-Accept: {accept}\r\nX-Origin: {self._origin.name}\r\n\r\n".encode())
        await self._tunnel()

    async def _tunnel(self) -> None:
        await echo(self._peer)
        raise _Over


def is_status(step: str) -> bool:
    return re.match(r"< *(\d\d\d( |$)|HTTP/)", step) is not None


def parse_send(rest: str) -> tuple[bytes, int, float]:
    """`"bytes" * 3 in pieces of 1 every 10ms` or `70000 bytes ...`."""
    match = re.fullmatch(r'(.*?)(?: in pieces of (\d+)(?: every (\w+))?)?', rest)
    size = re.fullmatch(r"(\d+) bytes", match[1])
    data = text.pattern_bytes(int(size[1])) if size else text.quoted(match[1])
    return data, int(match[2] or 0), text.seconds(match[3]) if match[3] else 0.0


async def echo(peer: Peer) -> None:
    """Gives every byte back, and the end of the stream as well."""
    try:
        while True:
            peer.writer.write(await peer.source.some(wire.READ_SIZE))
            with contextlib.suppress(ConnectionError):
                await peer.writer.drain()
    except wire.Ended as ended:
        if ended.how == "fin":
            await peer.close()


class TcpOrigin:
    """A layer 4 upstream: `echo`, `answer` (replies after the client's half-close), `reset`, `greet "text"`, `close`."""

    def __init__(self, name: str, steps: list[str], *, secure: ssl.SSLContext | None = None):
        self.name = name
        self.connections = 0
        self.open = 0
        self.received = bytearray()
        self.ends: list[str] = []
        self.proxied = False
        self.told: list[str] = []
        self.sources: set[str] = set()
        self.violations: list[str] = []
        self.requests: list[wire.Message] = []
        self._steps = steps or ["echo"]
        self.server = Server(self._serve, secure=secure)

    @property
    def address(self) -> str:
        return self.server.address

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def _serve(self, peer: Peer) -> None:
        self.connections += 1
        self.open += 1
        self.sources.add(peer.writer.get_extra_info("peername")[0])
        try:
            if self.proxied:
                self.told.append(await proxy_header.read(peer.source))
            for step in self._steps:
                await self._step(peer, step)
        except wire.Ended as ended:
            self.ends.append(ended.how)
        except Violation as violation:
            self.violations.append(str(violation))
        finally:
            self.open -= 1

    async def _step(self, peer: Peer, step: str) -> None:
        word, _, rest = step.partition(" ")
        if step == "echo":
            await echo(peer)
            self.ends.append(peer.source.ended)
        elif step == "read all":
            with contextlib.suppress(wire.Ended):
                while True:
                    self.received += await peer.source.some(wire.READ_SIZE)
            self.ends.append(peer.source.ended)
        elif step == "read":
            self.received += await peer.source.some(wire.READ_SIZE)
        elif word == "send":
            data, piece, every = parse_send(rest)
            await peer.send(data, piece=piece, every=every)
        elif step == "half-close":
            peer.half_close()
        elif step == "close":
            await peer.close()
        elif step == "reset":
            peer.reset()
        else:
            raise Failure(f"origin {self.name}: unknown action: {step}")


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A fake upstream as a process of its own, to be killed.")
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", default="", help="gets the X-Id of each POST")
    parser.add_argument("--step", action="append", default=[], help="of the rule for all requests")
    arguments = parser.parse_args()
    rules = [Rule("*", "*", None, False, arguments.step)] if arguments.step else []
    origin = Origin(arguments.name, rules, host=arguments.host, port=arguments.port, keep=False, journal=arguments.journal)
    await origin.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    await stop.wait()
    await origin.stop()


if __name__ == "__main__":
    asyncio.run(_main())

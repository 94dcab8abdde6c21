"""The steps of a client block in a .spec file. The language is described in spec.py."""

import asyncio
import re
import ssl

from kit import text
from kit.client import Client, check_response
from kit.failure import Failure
from kit.origin import is_status, parse_send


class ClientScript:
    """A client that connects at its first step, so that `expect refused` can be one."""

    def __init__(self, name: str, address: str, source: str, secure: ssl.SSLContext | None = None,
                 server_name: str = ""):
        self.name = name
        self._address = address
        self._how = {"source": source, "secure": secure, "server_name": server_name}
        self._client: Client | None = None
        self._crowd: list[Client] = []
        self._cookies: dict[str, str] | None = None  # what a browser would hold, of one path; None: it holds none

    async def _connected(self) -> Client:
        if not self._client:
            try:
                self._client = await Client.connect(self.name, self._address, **self._how)
            except ConnectionResetError:
                raise
            except OSError as error:
                raise Failure(f"cannot connect to {self._address}: {error}") from None
        return self._client

    async def close(self) -> None:
        if self._client:
            await self._client.peer.close()
        await self._disperse()

    async def _gather(self, count: int) -> None:
        for _ in range(count):
            self._crowd.append(await Client.connect(self.name, self._address, **self._how))

    async def _disperse(self) -> None:
        for each in self._crowd:
            await each.peer.close()
        self._crowd = []

    async def run(self, lines: list[text.Line]) -> None:
        at = 0
        while at < len(lines):
            group = _message_at(lines, at)
            line = lines[at]
            try:
                if group:
                    await self._message(line.text[0], text.transcript([each.text[1:].removeprefix(" ") for each in group]))
                elif line.block:
                    await self._repeat(line)
                else:
                    await self._step(line.text)
            except Failure as failure:
                raise located(line, failure) from None
            at += len(group) or 1

    async def _message(self, way: str, message: text.Transcript) -> None:
        client = await self._connected()
        if way == ">":
            if self._cookies and not any(name.lower() == "cookie" for name, _ in message.fields):
                pairs = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
                message.fields.append(("Cookie", pairs))
            await client.request(message)
        else:
            response = await client.response(patience=20.0)
            if self._cookies is not None:
                self._take_cookies(response.fields.all("Set-Cookie"))
            check_response(message, response)

    def _take_cookies(self, lines: list[str]) -> None:
        for line in lines:
            pair, *attributes = line.split(";")
            name, _, value = pair.strip().partition("=")
            ended = any(each.strip().lower() == "max-age=0" for each in attributes)
            if ended:
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = value

    async def _repeat(self, line: text.Line) -> None:
        match = re.fullmatch(r"repeat (\d+):", line.text)
        if not match:
            raise Failure(f"unknown block: {line.text}")
        for _ in range(int(match[1])):
            await self.run(line.block)

    async def _step(self, step: str) -> None:
        word, _, rest = step.partition(" ")
        if step == "expect refused":
            await self._expect_refused()
            return
        if word == "wait":
            await asyncio.sleep(text.seconds(rest))
            return
        if word == "crowd":
            await self._gather(int(rest))
            return
        if step == "disperse":
            await self._disperse()
            return
        if step == "keep cookies":
            self._cookies = {}
            return
        try:
            client = await self._connected()
        except ConnectionResetError:
            # Accepted and cut before this side saw the acceptance: a reset like any other.
            if step in ("expect reset", "expect end or reset"):
                return
            raise Failure(f"{self._address} reset the connection at once") from None
        if step == "open":
            return
        if word == "send":
            data, piece, every = parse_send(rest)
            if data.startswith((b"HEAD ", b"CONNECT ")):
                client.methods.append(data.split(b" ")[0].decode())
            await client.send(data, piece=piece, every=every)
        elif word == "receive":
            await client.receive(parse_send(rest)[0])
        elif step == "close":
            await self.close()
            self._client = None
        elif step == "end without goodbye":
            client.peer.half_close_below()
        elif step == "half-close":
            client.peer.half_close()
        elif step == "stop reading":
            client.peer.writer.transport.pause_reading()
        elif step == "read on":
            client.peer.writer.transport.resume_reading()
        elif step == "reset":
            client.peer.reset()
            self._client = None
        elif word == "expect":
            await self._expect(client, rest)
        else:
            raise Failure(f"unknown step: {step}")

    async def _expect(self, client: Client, what: str) -> None:
        match = re.fullmatch(r"(end or reset|end|reset)(?: within (\w+))?", what)
        if match:
            how = await client.end(patience=text.seconds(match[2]) if match[2] else 10.0)
            wanted = {"end": ["fin"], "reset": ["reset"], "end or reset": ["fin", "reset"]}[match[1]]
            if how not in wanted:
                raise Failure(f"the connection ended by {how}")
        elif match := re.fullmatch(r"silence (\w+)", what):
            await client.silence(text.seconds(match[1]))
        else:
            raise Failure(f"unknown expectation: {what}")

    async def _expect_refused(self) -> None:
        try:
            client = await Client.connect(self.name, self._address)
        except ConnectionError:
            return
        await client.peer.close()
        raise Failure(f"{self._address} took the connection")


def _message_at(lines: list[text.Line], at: int) -> list[text.Line]:
    """The transcript that begins here: its rows, or none."""
    way = lines[at].text[0]
    if way not in "<>":
        return []
    end = at + 1
    while end < len(lines) and lines[end].text.startswith(way) and not _begins(lines[end].text):
        end += 1
    return lines[at:end]


def _begins(row: str) -> bool:
    """A status line, or a request line behind another request, begins a message of its own."""
    return is_status(row) or re.match(r"> [A-Z]+ [/*h]", row) is not None


class LocatedFailure(Failure):
    pass


def located(line: text.Line, failure: Failure) -> LocatedFailure:
    """The innermost line names the place; outer blocks leave it."""
    if isinstance(failure, LocatedFailure):
        return failure
    return LocatedFailure(f"line {line.number}: {line.text}\n{failure}")

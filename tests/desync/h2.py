"""What HTTP/2 adds: heads whose fields would say something else to an HTTP/1.1 target, and bodies that belie them."""

import dataclasses

from desync.corpus import Accepted
from desync.world import World, got
from kit.failure import Failure
from kit.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Http2Client, block, frame

Fields = list[tuple[str | bytes, str | bytes]]
BASE: Fields = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "h")]


@dataclasses.dataclass
class Case:
    name: str
    fields: Fields
    accepted: Accepted  # [] where it is refused: with a status of ours, a reset stream or an ended connection
    body: bytes = b""
    trailers: Fields | None = None
    refused_in: tuple[str, ...] = ()  # where it is accepted otherwise


def _block(fields: Fields) -> bytes:
    return block(*((name.decode("latin-1") if isinstance(name, bytes) else name, value) for name, value in fields))


def cases() -> list[Case]:
    made: list[Case] = []
    x = [("GET", "/x", b"")]

    def fields(**pseudo: str | bytes | None) -> Fields:
        """BASE with some of its values changed, or left out."""
        return [(name, pseudo.get(name[1:], value)) for name, value in BASE if pseudo.get(name[1:], value) is not None]

    def good(name: str, given: Fields, *accepted, **more) -> None:
        made.append(Case(name, given, list(accepted) or x, **more))

    def bad(name: str, given: Fields, **more) -> None:
        made.append(Case(name, given, [], **more))

    good("plain", BASE)
    good("a field", [*BASE, ("a", "b")])
    good("crumbs", [*BASE, ("cookie", "a=b"), ("cookie", "c=d")])
    good("te: trailers", [*BASE, ("te", "trailers")])
    good("Host that agrees", [*BASE, ("host", "h")])
    good("Host alone", [*fields(authority=None), ("host", "h")])
    good("a body", fields(method="POST"), ("POST", "/x", b"hello"), body=b"hello")
    good("a body with its length", [*fields(method="POST"), ("content-length", "5")], ("POST", "/x", b"hello"), body=b"hello")
    good("a body that is a request", fields(method="POST"), ("POST", "/x", b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"), body=b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
    good("a body that is chunks", fields(method="POST"), ("POST", "/x", b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), body=b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    good("trailers", fields(method="POST"), ("POST", "/x", b"hello"), body=b"hello", trailers=[("a", "b")])
    good("GET with a body", BASE, ("GET", "/x", b"hello"), body=b"hello", refused_in=("strictest",))
    good("GET with a body and its length", [*BASE, ("content-length", "5")], ("GET", "/x", b"hello"), body=b"hello", refused_in=("strictest",))
    good("a value beyond ASCII", [*BASE, ("a", b"\xe9")], refused_in=("strictest",))
    good("an unusual name", [*BASE, ("a_b", "c")], refused_in=("strictest",))
    good("a lookalike of a coding", [*BASE, ("transfer_encoding", "chunked")], refused_in=("strictest",))
    good("an unusual method", fields(method="get"), ("get", "/x", b""), refused_in=("strictest",))
    good("an unusual target", fields(path="/<x>"), ("GET", "/<x>", b""), refused_in=("strictest",))
    good("encoded line ends", fields(path="/%0d%0aX:%20y"), ("GET", "/%0d%0aX:%20y", b""), refused_in=("strictest",))
    for name, value in (("transfer-encoding", "chunked"), ("transfer-encoding", "identity"), ("connection", "close"), ("connection", "keep-alive, x"), ("keep-alive", "timeout=5"),
                        ("proxy-connection", "keep-alive"), ("upgrade", "h2c"), ("upgrade", "websocket"), ("http2-settings", "AAMAAABk"), ("te", "chunked"), ("te", "trailers, chunked"), ("te", "")):
        bad(f"{name}: {value}", [*BASE, (name, value)])
        bad(f"{name}: {value}, a body", [*fields(method="POST"), (name, value)], body=b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
    for name in ("Transfer-Encoding", "A", "aB", "transfer-encoding ", " transfer-encoding", "transfer-encoding\t", "a b", "a:", "a: b\r\nx", "a\r\nx", "a\n", "a\r", "a\x00", "\x00", "", "a\x7f", "(a)",
                 "a\x0b", "content-length:", ":", ":x", ":status", "a\r\n\r\nGET /smuggled HTTP/1.1\r\nhost", "transfer-encoding: chunked\r\nx"):
        bad(f"name {name!r}", [*BASE, (name, "chunked")])
    for value in ("a\r\nx: y", "a\nx: y", "a\rx: y", "a\x00", "\x00", "a\r\ntransfer-encoding: chunked", "a\ntransfer-encoding: chunked", "a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", "a\r", "a\n", "\r\n",
                  " a", "a ", "\ta", "a\t", "a\x01", "a\x7f", "a\x0b", "a\x1fb"):
        bad(f"value {value!r}", [*BASE, ("a", value)])
        bad(f"cookie {value!r}", [*BASE, ("cookie", value)])
    for path in ("", "x", "*", "http://other/", "//other:80 /", "/x y", "/x HTTP/1.1", "/x HTTP/1.1\r\nHost: other\r\n\r\nGET /smuggled", "/x\r\nA: b", "/x\nA: b", "/x\rA", "/x\x00", "/x\t", "/x#y", "/\x7f", "/\xe9",
                 " /x", "/x ", "?x", "/x\x01"):
        bad(f":path {path!r}", fields(path=path))
    for method in ("", "GET ", "G T", "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET", "GET\r\n", "G\x00T", "GET\n", "G(T", "GET /smuggled HTTP/1.1", ":", "TRACE", "CONNECT"):
        bad(f":method {method!r}", fields(method=method))
    for authority in ("h x", "h/x", "u@h", "h\r\nA: b", "h\nA: b", "h\x00", "h:x", "h:99999", "[::1", " h", "h ", "h\\x", "h#", "h?x", "h\x01", "\xe9", "h\r\nTransfer-Encoding: chunked"):
        bad(f":authority {authority!r}", fields(authority=authority))
    for scheme in ("", None):
        bad(f":scheme {scheme!r}", fields(scheme=scheme))
    for missing in ("method", "path"):
        bad(f"no :{missing}", fields(**{missing: None}))
    bad("no authority", fields(authority=None))
    for name, value in (*BASE, (":method", "POST"), (":path", "/y"), (":authority", "other")):
        bad(f"a second {name} {value}", [*BASE, (name, value)])
        bad(f"a second {name} {value}, first", [(name, value), *BASE])
    bad("a pseudo-header behind a field", [*BASE[:3], ("a", "b"), BASE[3]])
    bad("an unknown pseudo-header", [*BASE, (":x", "y")])
    bad("Host that contradicts", [*BASE, ("host", "other")])
    bad("Host that says a port", [*BASE, ("host", "h:80")])
    bad("two Hosts", [*fields(authority=None), ("host", "h"), ("host", "h")])
    bad("an empty Host", [*fields(authority=None), ("host", "")])
    bad(":protocol without CONNECT", [*BASE, (":protocol", "websocket")])
    for length in ("4", "6", "0", "+5", "-5", "5a", "5, 5", "", "0x5", "18446744073709551621", "5 "):
        bad(f"content-length: {length!r} of 5", [*fields(method="POST"), ("content-length", length)], body=b"hello")
    bad("two lengths", [*fields(method="POST"), ("content-length", "5"), ("content-length", "5")], body=b"hello")
    bad("two lengths that differ", [*fields(method="POST"), ("content-length", "5"), ("content-length", "6")], body=b"hello")
    bad("a length without a body", [*fields(method="POST"), ("content-length", "5")])
    bad("a length beside a coding", [*fields(method="POST"), ("content-length", "5"), ("transfer-encoding", "chunked")], body=b"hello")
    for name, value in (("content-length", "5"), ("transfer-encoding", "chunked"), ("host", "other"), ("A", "b"), ("a", "b\r\nc: d"), (":path", "/y"), ("connection", "close"), ("a b", "c"),
                        ("authorization", "x"), ("a", "\x00"), ("te", "trailers"), ("a", " b")):
        bad(f"trailer {name}: {value!r}", fields(method="POST"), body=b"hello", trailers=[(name, value)])
    return made


async def play(world: World, mode: str, corpus: list[Case]) -> list[str]:
    problems = []
    origin = world.origins[mode]
    for case in corpus:
        before = len(origin.requests)
        client = await Http2Client.connect(world.listeners[mode])
        try:
            ends = not case.body and case.trailers is None
            parts = [frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), 1, _block(case.fields))]
            if case.body:
                parts.append(frame(DATA, END_STREAM if case.trailers is None else 0, 1, case.body))
            if case.trailers is not None:
                parts.append(frame(HEADERS, END_HEADERS | END_STREAM, 1, _block(case.trailers)))
            await client.send(*parts)
            answer = await client.answer(1)
        except Failure as failure:
            problems.append(f"{mode}, h2 {case.name}: {failure}")
            continue
        finally:
            await client.close()
        accepted = case.accepted if mode not in case.refused_in else []
        found = [request.key() for request in origin.requests[before:]]
        says = [head["x-got"] for head in answer.heads if "x-got" in head]
        if found != accepted or says != [got(*each) for each in accepted]:
            problems.append(f"{mode}, h2 {case.name}: the origin got {found}, wanted {accepted}; answered {answer.status or answer.reset} {says}")
        elif not accepted and answer.status and answer.status[0] not in "45":
            problems.append(f"{mode}, h2 {case.name}: answered with {answer.status}")
    return problems

"""What RFC 9113 forbids a client, frame by frame: what each violation is answered with, and what it is counted as.

Each row is a connection of its own: after the settings have been exchanged its frames are sent, and the verdict is a
GOAWAY with its code and the end of the connection, an RST_STREAM with its code and a connection that goes on, or an
answer.
"""

import dataclasses
import struct

from kit.failure import Failure
from kit.http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITY,
                       PRIORITY_FLAG, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2Client, block, data, frame,
                       headers, request, rst_stream, settings, window_update)

POST = headers(1, request("POST", "/hold"), END_HEADERS)
OPEN = END_HEADERS
PRI = struct.pack(">IB", 0, 15)
EMPTY_BLOCK_PADDED = b"\x00" + request()


@dataclasses.dataclass
class Row:
    rule: str
    what: str
    sent: bytes
    verdict: str  # "GOAWAY code", "RST code" (of stream 1), "status", "ends"
    begin: bytes | None = None


def fields(rule: str, what: str, verdict: str, *pairs: tuple[str, str | bytes]) -> Row:
    return Row(rule, what, headers(1, block(*pairs)), verdict)


def ordinary(*more: tuple[str, str | bytes]) -> tuple:
    return ((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h"), *more)


ROWS = [
    # 3.4 the connection's beginning
    Row("3.4", "no SETTINGS first", headers(1), "GOAWAY PROTOCOL_ERROR", begin=PREFACE),
    Row("3.4", "a SETTINGS acknowledgement first", frame(SETTINGS, ACK), "GOAWAY PROTOCOL_ERROR", begin=PREFACE),
    # 4.1, 4.2 frames
    Row("4.1", "a frame of an unknown type", frame(0xBA, 0xFF, 1, b"x" * 20) + headers(1), "200"),
    Row("4.1", "the reserved bit of a stream's number", frame(HEADERS, END_STREAM | OPEN, 1 | 1 << 31, request()), "200"),
    Row("4.2", "DATA larger than SETTINGS_MAX_FRAME_SIZE", POST + data(1, b"x" * 16385), "GOAWAY FRAME_SIZE_ERROR"),
    Row("4.2", "HEADERS larger than SETTINGS_MAX_FRAME_SIZE", headers(1, request("GET", "/", ("x", "y" * 16400))),
        "GOAWAY FRAME_SIZE_ERROR"),
    Row("4.2", "a SETTINGS larger than SETTINGS_MAX_FRAME_SIZE", frame(SETTINGS, 0, 0, b"\0\1\0\0\0\0" * 2731),
        "GOAWAY FRAME_SIZE_ERROR"),
    # 4.3 compression
    Row("4.3", "an index out of the table", headers(1, b"\xff\xff\x00"), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "an index of zero", headers(1, b"\x80"), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "a string cut short", headers(1, request() + b"\x00\x05ab"), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "Huffman padding that is none", headers(1, b"\x00\x81\x00\x01a"), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "an integer without end", headers(1, b"\x7f" + b"\xff" * 12), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "a table larger than was allowed", headers(1, b"\x3f\xe2\x1f" + request()), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "a table's size in the middle of a block", headers(1, request() + b"\x20"), "GOAWAY COMPRESSION_ERROR"),
    Row("4.3", "two blocks interleaved", headers(1, request(), END_STREAM) + headers(3), "GOAWAY PROTOCOL_ERROR"),
    Row("4.3", "DATA within a block", headers(1, request(), 0) + data(1, b"x"), "GOAWAY PROTOCOL_ERROR"),
    Row("4.3", "an unknown frame within a block", headers(1, request(), 0) + frame(0xBA, 0, 1), "GOAWAY PROTOCOL_ERROR"),
    Row("4.3", "a CONTINUATION of another stream", headers(1, request(), 0) + frame(CONTINUATION, OPEN, 3, b""),
        "GOAWAY PROTOCOL_ERROR"),
    # 5.1 states of a stream
    Row("5.1", "DATA on an idle stream", data(1, b"x"), "GOAWAY PROTOCOL_ERROR"),
    Row("5.1", "RST_STREAM on an idle stream", rst_stream(1), "GOAWAY PROTOCOL_ERROR"),
    Row("5.1", "WINDOW_UPDATE on an idle stream", window_update(1, 1), "GOAWAY PROTOCOL_ERROR"),
    Row("5.1", "CONTINUATION on an idle stream", frame(CONTINUATION, OPEN, 1, request()), "GOAWAY PROTOCOL_ERROR"),
    Row("5.1", "DATA behind the end", headers(1, request("GET", "/hold")) + data(1, b"x"), "GOAWAY STREAM_CLOSED"),
    Row("5.1", "HEADERS behind the end", headers(1, request("GET", "/hold")) + headers(1), "GOAWAY STREAM_CLOSED"),
    Row("5.1", "DATA on a stream that was reset", POST + rst_stream(1) + data(1, b"x") + headers(3), "ignored"),
    Row("5.1", "HEADERS on a stream that was reset", POST + rst_stream(1) + headers(1) + headers(3), "ignored"),
    Row("5.1", "CONTINUATION behind END_HEADERS", headers(1, request("GET", "/hold")) + frame(CONTINUATION, OPEN, 1, b""),
        "GOAWAY PROTOCOL_ERROR"),
    # 5.1.1 numbers of streams
    Row("5.1.1", "a stream of an even number", headers(2), "GOAWAY PROTOCOL_ERROR"),
    Row("5.1.1", "a number lower than one before", headers(5) + headers(3), "ignored 5"),
    # 5.1.2 concurrency
    Row("5.1.2", "more streams than SETTINGS_MAX_CONCURRENT_STREAMS",
        b"".join(headers(1 + 2 * n, request("POST", "/hold"), OPEN) for n in range(9)), "GOAWAY PROTOCOL_ERROR"),
    # 5.3 priority
    Row("5.3.1", "a stream that depends on itself", frame(HEADERS, END_STREAM | OPEN | PRIORITY_FLAG, 1,
                                                          struct.pack(">IB", 1, 15) + request()), "GOAWAY PROTOCOL_ERROR"),
    # 6.1 DATA
    Row("6.1", "DATA of no stream", frame(DATA, 0, 0, b"x"), "GOAWAY PROTOCOL_ERROR"),
    Row("6.1", "more padding than payload", POST + frame(DATA, PADDED, 1, b"\x05abcd"), "GOAWAY PROTOCOL_ERROR"),
    Row("6.1", "padding said and not there", POST + frame(DATA, PADDED, 1, b""),
        "GOAWAY FRAME_SIZE_ERROR or GOAWAY PROTOCOL_ERROR"),
    # 6.2 HEADERS
    Row("6.2", "HEADERS of no stream", headers(0), "GOAWAY PROTOCOL_ERROR"),
    Row("6.2", "more padding than payload", frame(HEADERS, END_STREAM | OPEN | PADDED, 1, b"\x05abcd"),
        "GOAWAY PROTOCOL_ERROR"),
    Row("6.2", "padding", frame(HEADERS, END_STREAM | OPEN | PADDED, 1, b"\x05" + request() + b"\0" * 5), "200"),
    Row("6.2", "a priority cut short", frame(HEADERS, END_STREAM | OPEN | PRIORITY_FLAG, 1, b"\0\0\0"),
        "GOAWAY FRAME_SIZE_ERROR"),
    # 6.3 PRIORITY
    Row("6.3", "PRIORITY of no stream", frame(PRIORITY, 0, 0, PRI), "GOAWAY PROTOCOL_ERROR"),
    Row("6.3", "PRIORITY of another size", POST + frame(PRIORITY, 0, 1, PRI + b"x"), "RST FRAME_SIZE_ERROR or GOAWAY FRAME_SIZE_ERROR"),
    Row("6.3", "PRIORITY of an idle stream", frame(PRIORITY, 0, 3, PRI) + headers(1), "200"),
    # 6.4 RST_STREAM
    Row("6.4", "RST_STREAM of no stream", rst_stream(0), "GOAWAY PROTOCOL_ERROR"),
    Row("6.4", "RST_STREAM of another size", POST + frame(RST_STREAM, 0, 1, b"abc"), "GOAWAY FRAME_SIZE_ERROR"),
    # 6.5 SETTINGS
    Row("6.5", "SETTINGS of a stream", frame(SETTINGS, 0, 1, b""), "GOAWAY PROTOCOL_ERROR"),
    Row("6.5", "SETTINGS of another size", frame(SETTINGS, 0, 0, b"12345"), "GOAWAY FRAME_SIZE_ERROR"),
    Row("6.5", "an acknowledgement with a payload", frame(SETTINGS, ACK, 0, b"123456"), "GOAWAY FRAME_SIZE_ERROR"),
    Row("6.5.2", "ENABLE_PUSH of 2", settings((2, 2)), "GOAWAY PROTOCOL_ERROR"),
    Row("6.5.2", "INITIAL_WINDOW_SIZE of 2^31", settings((4, 1 << 31)), "GOAWAY FLOW_CONTROL_ERROR"),
    Row("6.5.2", "MAX_FRAME_SIZE of 16383", settings((5, 16383)), "GOAWAY PROTOCOL_ERROR"),
    Row("6.5.2", "MAX_FRAME_SIZE of 2^24", settings((5, 1 << 24)), "GOAWAY PROTOCOL_ERROR"),
    Row("6.5.2", "an unknown setting", settings((0xF000, 7)) + headers(1), "200"),
    Row("8441 3", "ENABLE_CONNECT_PROTOCOL of 2", settings((8, 2)), "GOAWAY PROTOCOL_ERROR"),
    # 6.6 PUSH_PROMISE
    Row("6.6", "PUSH_PROMISE of a client", POST + frame(PUSH_PROMISE, OPEN, 1, struct.pack(">I", 2) + request()),
        "GOAWAY PROTOCOL_ERROR"),
    # 6.7 PING
    Row("6.7", "PING of a stream", frame(PING, 0, 1, b"12345678"), "GOAWAY PROTOCOL_ERROR"),
    Row("6.7", "PING of another size", frame(PING, 0, 0, b"1234567"), "GOAWAY FRAME_SIZE_ERROR"),
    # 6.8 GOAWAY
    Row("6.8", "GOAWAY of a stream", frame(GOAWAY, 0, 1, b"\0" * 8), "GOAWAY PROTOCOL_ERROR"),
    Row("6.8", "GOAWAY cut short", frame(GOAWAY, 0, 0, b"\0" * 7), "GOAWAY FRAME_SIZE_ERROR"),
    # 6.9 WINDOW_UPDATE
    Row("6.9", "an increment of zero for the connection", window_update(0, 0), "GOAWAY PROTOCOL_ERROR"),
    Row("6.9", "an increment of zero for a stream", POST + window_update(1, 0), "RST PROTOCOL_ERROR or GOAWAY PROTOCOL_ERROR"),
    Row("6.9", "WINDOW_UPDATE of another size", frame(WINDOW_UPDATE, 0, 0, b"abc"), "GOAWAY FRAME_SIZE_ERROR"),
    Row("6.9.1", "a connection's window above 2^31 - 1", window_update(0, (1 << 31) - 1), "GOAWAY FLOW_CONTROL_ERROR"),
    Row("6.9.1", "a stream's window above 2^31 - 1", POST + window_update(1, (1 << 31) - 1), "RST FLOW_CONTROL_ERROR"),
    Row("6.9.2", "a stream's window above 2^31 - 1 by SETTINGS", headers(1, request("POST", "/hold"), OPEN) + window_update(1, 1) +
        settings((4, (1 << 31) - 1)), "RST FLOW_CONTROL_ERROR or GOAWAY FLOW_CONTROL_ERROR"),
    Row("6.9.1", "more DATA than a stream's window", POST + data(1, b"x" * 16384) * 2, "GOAWAY FLOW_CONTROL_ERROR or RST FLOW_CONTROL_ERROR"),
    # 6.10 CONTINUATION
    Row("6.10", "CONTINUATION of no stream", headers(1, request(), 0) + frame(CONTINUATION, OPEN, 0, b""), "GOAWAY PROTOCOL_ERROR"),
    Row("6.10", "CONTINUATION without HEADERS", POST + frame(CONTINUATION, OPEN, 1, b""), "GOAWAY PROTOCOL_ERROR"),
    # 8.1 messages
    Row("8.1", "trailers that do not end the stream", POST + headers(1, block(("x", "y")), OPEN), "RST PROTOCOL_ERROR"),
    Row("8.1.1", "less than content-length says",
        headers(1, request("POST", "/hold", ("content-length", "5")), OPEN) + data(1, b"abc", END_STREAM), "RST PROTOCOL_ERROR"),
    Row("8.1.1", "more than content-length says",
        headers(1, request("POST", "/hold", ("content-length", "2")), OPEN) + data(1, b"abc"), "RST PROTOCOL_ERROR"),
    Row("8.1.1", "content-length and no body", headers(1, request("POST", "/", ("content-length", "2"))), "RST PROTOCOL_ERROR"),
    fields("8.1.1", "two content-lengths", "RST PROTOCOL_ERROR", *ordinary(("content-length", "0"), ("content-length", "0"))),
    fields("8.1.1", "a content-length that is no number", "RST PROTOCOL_ERROR", *ordinary(("content-length", "+0"))),
    # 8.2 fields
    fields("8.2.1", "a name in upper case", "RST PROTOCOL_ERROR", *ordinary(("X-Upper", "y"))),
    fields("8.2.1", "a name with a space", "400", *ordinary(("x y", "z"))),
    fields("8.2.1", "a name with a colon", "400", *ordinary(("x:y", "z"))),
    fields("8.2.1", "an empty name", "400", *ordinary(("", "z"))),
    fields("8.2.1", "a name with a line's end", "400", *ordinary(("x\r\ny", "z"))),
    fields("8.2.1", "a value with CR", "400", *ordinary(("x", "y\rz"))),
    fields("8.2.1", "a value with LF", "400", *ordinary(("x", "y\nhost: evil"))),
    fields("8.2.1", "a value with NUL", "400", *ordinary(("x", "y\0z"))),
    fields("8.2.1", "a value that begins with a space", "400", *ordinary(("x", " y"))),
    fields("8.2.1", "a value that ends with a tab", "400", *ordinary(("x", "y\t"))),
    fields("8.2.2", "connection", "RST PROTOCOL_ERROR", *ordinary(("connection", "keep-alive"))),
    fields("8.2.2", "transfer-encoding", "RST PROTOCOL_ERROR", *ordinary(("transfer-encoding", "chunked"))),
    fields("8.2.2", "upgrade", "RST PROTOCOL_ERROR", *ordinary(("upgrade", "websocket"))),
    fields("8.2.2", "keep-alive", "RST PROTOCOL_ERROR", *ordinary(("keep-alive", "1"))),
    fields("8.2.2", "proxy-connection", "RST PROTOCOL_ERROR", *ordinary(("proxy-connection", "1"))),
    fields("8.2.2", "te that is not trailers", "RST PROTOCOL_ERROR", *ordinary(("te", "gzip"))),
    fields("8.2.2", "te: trailers", "200", *ordinary(("te", "trailers"))),
    # 8.3 pseudo-header fields
    fields("8.3", "one behind a field", "RST PROTOCOL_ERROR", (":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/")),
    fields("8.3", "an unknown one", "RST PROTOCOL_ERROR", *ordinary()[:3], (":unknown", "x")),
    fields("8.3", "one of responses", "RST PROTOCOL_ERROR", (":status", "200"), *ordinary()),
    fields("8.3", "one twice", "RST PROTOCOL_ERROR", *ordinary()[:3], (":path", "/other")),
    Row("8.3", "one in trailers", POST + headers(1, block((":path", "/"))), "RST PROTOCOL_ERROR"),
    fields("8.3.1", "no :method", "RST PROTOCOL_ERROR", *ordinary()[1:]),
    fields("8.3.1", "no :scheme", "RST PROTOCOL_ERROR", ordinary()[0], *ordinary()[2:]),
    fields("8.3.1", "no :path", "RST PROTOCOL_ERROR", *ordinary()[:2], (":authority", "h")),
    fields("8.3.1", "an empty :path", "RST PROTOCOL_ERROR", *ordinary()[:2], (":path", ""), (":authority", "h")),
    fields("8.3.1", "a :path that is absolute", "RST PROTOCOL_ERROR or 400", *ordinary()[:2], (":path", "http://other/"), (":authority", "h")),
    fields("8.3.1", "a :path with a space", "RST PROTOCOL_ERROR or 400", *ordinary()[:2], (":path", "/ HTTP/1.1"), (":authority", "h")),
    fields("8.3.1", "a :path with a line's end", "RST PROTOCOL_ERROR or 400", *ordinary()[:2], (":path", "/\r\nx: y"), (":authority", "h")),
    fields("8.3.1", "a :method with a space", "RST PROTOCOL_ERROR or 400", (":method", "GET /x"), *ordinary()[1:]),
    fields("8.3.1", "a host that is another", "400", *ordinary(("host", "other"))),
    fields("8.3.1", "a host that is the same", "200", *ordinary(("host", "H"))),
    fields("8.3.1", "two hosts", "RST PROTOCOL_ERROR or 400", *ordinary(("host", "h"), ("host", "h"))),
    fields("8.3.1", "neither :authority nor host", "RST PROTOCOL_ERROR or 400", *ordinary()[:3]),
    fields("8.3.1", "a user in :authority", "RST PROTOCOL_ERROR or 400", *ordinary()[:3], (":authority", "me@h")),
    fields("8.3.1", "OPTIONS *", "200", (":method", "OPTIONS"), (":scheme", "http"), (":path", "*"), (":authority", "h")),
    fields("8.3.1", "GET *", "RST PROTOCOL_ERROR or 400", (":method", "GET"), (":scheme", "http"), (":path", "*"), (":authority", "h")),
    # 8.5 CONNECT
    fields("8.5", "CONNECT", "405", (":method", "CONNECT"), (":authority", "h:1")),
    fields("8.5", "CONNECT with a :path", "RST PROTOCOL_ERROR", (":method", "CONNECT"), (":path", "/"), (":authority", "h:1")),
    fields("8.5", "CONNECT without :authority", "RST PROTOCOL_ERROR", (":method", "CONNECT")),
    fields("8441 4", "a :protocol without CONNECT", "RST PROTOCOL_ERROR", *ordinary()[:4], (":protocol", "websocket")),
    # what is too large
    Row("10.5.1", "a head too large", headers(1, request(), END_STREAM) + frame(CONTINUATION, 0, 1, block(("x", "y" * 16000))) * 5 +
        frame(CONTINUATION, OPEN, 1, b""), "431"),
    Row("10.5.1", "a large field", headers(1, request("GET", "/", ("x", "y" * 16000)), END_STREAM) +
        frame(CONTINUATION, OPEN, 1, block(("x" * 200, "y" * 10))), "200"),
    Row("10.5.1", "too many fields", headers(1, request() + block(("x", "y")) * 200), "431"),
    Row("10.5.1", "a bomb of a table's entry", headers(1, request() + b"\x40\x01a" + b"\x7f\x81\x1e" + b"b" * 4000 + b"\xbe" * 12000), "431"),
]


def _violates(verdict: str) -> str:
    """The defect that a connection's end is counted as."""
    code = verdict.partition(" ")[2]
    return {"FLOW_CONTROL_ERROR": "flow_control_error", "COMPRESSION_ERROR": "compression_error",
            "ENHANCE_YOUR_CALM": "flood"}.get(code, "protocol_error")


async def _judge(address: str, row: Row) -> str:
    client = await Http2Client.connect(address, begin=row.begin)
    try:
        if row.begin is None:
            await client.until(lambda: client.acks == 1 and client.settings, "the settings")
            await client.ping()
        await client.send(row.sent)
        await client.until(lambda: client.goaways or client.ended or any(
            each.reset or each.ended for each in client.answers.values()), "a verdict")
        if client.goaways:
            code = client.goaways[-1][1]
            if await client.end() != "fin":
                raise Failure(f"the connection ended by {client.ended}")
            return f"GOAWAY {code}"
        # The connection goes on: with all of it judged, and for a new request.
        await client.ping()
        after = await client.get(21)
        if after.status != "200":
            raise Failure(f"the next request: {client.describe()}")
        first = client.answers.get(1)
        if row.verdict.startswith("ignored"):
            return row.verdict
        if first.reset and not first.status:
            return f"RST {first.reset}"
        return first.status
    finally:
        await client.close()


async def violations(address: str, counted) -> int:
    """`counted()`: how many connections were ended, by defect."""
    problems = []
    for row in ROWS:
        before = await counted()
        try:
            verdict = await _judge(address, row)
        except Failure as failure:
            verdict = str(failure)
        if verdict not in row.verdict.split(" or "):
            problems.append(f"{row.rule}: {row.what}: wanted {row.verdict}, was {verdict}")
            continue
        wanted = dict(before)
        if verdict.startswith("GOAWAY"):
            defect = _violates(verdict)
            wanted[defect] = wanted.get(defect, 0) + 1
        after = await counted([wanted])
        if after != wanted:
            problems.append(f"{row.rule}: {row.what}: counted {after}, wanted {wanted}")
    if problems:
        raise Failure(f"{len(problems)} of {len(ROWS)}:\n" + "\n".join(problems))
    return len(ROWS)

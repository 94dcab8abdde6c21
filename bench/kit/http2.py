"""An HTTP/2 client in clear text for single requests: as little of it as a request needs."""

import struct

from kit.failure import Failure

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
STATUS_200 = 0x88  # indexed: a first field of 200, as all peers write it


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def _literal(name_index, value):
    return bytes((name_index, len(value))) + value.encode()


def get(connection, path):
    """Returns 200; the connection has been read to the end of the answer, and its SETTINGS are settled."""
    head = b"\x82\x86" + _literal(0x04, path) + _literal(0x01, "bench.test")
    connection.sendall(PREFACE + _frame(SETTINGS, 0, 0) + _frame(HEADERS, END_STREAM | END_HEADERS, 1, head))
    held, ended, settled, acknowledged = b"", False, False, False
    while not (ended and settled and acknowledged):
        while len(held) < 9 or len(held) < 9 + int.from_bytes(held[:3], "big"):
            more = connection.recv(65536)
            if not more:
                raise Failure("the connection was closed in the middle of an answer")
            held += more
        size, kind, flags = int.from_bytes(held[:3], "big"), held[3], held[4]
        payload, held = held[9:9 + size], held[9 + size:]
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(_frame(SETTINGS, ACK, 0))
            settled = True
        acknowledged |= kind == SETTINGS and bool(flags & ACK)
        if kind in (RST_STREAM, GOAWAY):
            raise Failure(f"frame {kind} instead of an answer")
        if kind == HEADERS and STATUS_200 not in payload[:4]:  # a size update may stand before it
            raise Failure(f"no status 200: {payload[:16]!r}")
        ended |= kind in (DATA, HEADERS) and bool(flags & END_STREAM)
    return 200

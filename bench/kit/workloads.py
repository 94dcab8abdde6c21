"""The named workloads. A name keeps its meaning: numbers of different days are compared by it."""

import dataclasses

from kit.failure import Failure


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    mode: str  # "http": requests are understood; "https": out of TLS; "tcp": bytes are passed on; "static": files of its own;
    # "ajp": requests go to a Tomcat; "h2": HTTP/2 out of TLS, "h2c": in clear text; "grpc": calls, h2c on both sides
    path: str  # on the origin, which answers with body_bytes
    body_bytes: int
    connections: int
    close: bool = False  # a connection a request
    tickets: bool = True  # https: a client may go on with its session; wrk does so
    streams: int = 0  # of HTTP/2: requests at once on a connection
    idle: bool = False  # measures memory, not time
    about: str = ""

    @property
    def is_secure(self):
        return self.mode in ("https", "h2")

    @property
    def is_http2(self):
        return self.mode in ("h2", "h2c", "grpc")

    @property
    def addresses(self):
        """Loopback addresses the client connects to. A closed connection keeps its port for a
        while, so a client that opens thousands a second needs more than one address's 28,000."""
        return [f"127.0.0.{n}" for n in range(1, 5)] if self.close else ["127.0.0.1"]


SMALL = {"path": "/small", "body_bytes": 64}
MEDIUM = {"path": "/10k", "body_bytes": 10 * 1024}
LARGE = {"path": "/1m", "body_bytes": 1024 * 1024}

# 16 connections for the largest bodies: with 64 the client's and the origin's socket buffers no longer
# fit the caches, and the run measures the memory bus; what is in flight at the end also stays small.
ALL = {workload.name: workload for workload in (
    Workload("h1-64", "http", **SMALL, connections=64, about="keep-alive, 64 bytes"),
    Workload("h1-256", "http", **SMALL, connections=256, about="keep-alive, 64 bytes"),
    Workload("h1-10k", "http", **MEDIUM, connections=64, about="keep-alive, 10 KiB"),
    Workload("h1-1m", "http", **LARGE, connections=16, about="keep-alive, 1 MiB"),
    Workload("h1-close", "http", **SMALL, connections=64, close=True, about="a connection a request, 64 bytes"),
    Workload("l4-64", "tcp", **SMALL, connections=64, about="TCP mode, keep-alive, 64 bytes"),
    Workload("l4-1m", "tcp", **LARGE, connections=16, about="TCP mode, keep-alive, 1 MiB"),
    Workload("static-10k", "static", **MEDIUM, connections=64, about="a file of 10 KiB, keep-alive"),
    Workload("static-1m", "static", **LARGE, connections=16, about="a file of 1 MiB, keep-alive"),
    Workload("ajp-64", "ajp", **SMALL, connections=64, about="to Tomcat over AJP, keep-alive, 64 bytes"),
    Workload("tls-64", "https", **SMALL, connections=64, about="TLS 1.3, keep-alive, 64 bytes"),
    Workload("tls-10k", "https", **MEDIUM, connections=64, about="TLS 1.3, keep-alive, 10 KiB"),
    Workload("tls-1m", "https", **LARGE, connections=16, about="TLS 1.3, keep-alive, 1 MiB"),
    Workload("tls-close", "https", **SMALL, connections=64, close=True, tickets=False,
             about="TLS 1.3, a full handshake a request (ECDSA P-256, X25519)"),
    Workload("tls-resume", "https", **SMALL, connections=64, close=True, about="TLS 1.3, a resumed handshake a request"),
    Workload("h2-64", "h2", **SMALL, connections=16, streams=32, about="HTTP/2 over TLS 1.3, 32 streams each, 64 bytes"),
    Workload("grpc-unary", "grpc", path="/bench.Echo/Say", body_bytes=69, connections=16, streams=32,
             about="unary calls over h2c, 32 streams each, 64 bytes and their prefix both ways"),
    Workload("tls-idle-memory", "https", **SMALL, connections=3000, idle=True, about="idle keep-alive TLS connections"),
    Workload("idle-memory", "http", **SMALL, connections=6000, idle=True, about="idle keep-alive connections"),
    Workload("idle-memory-h2", "h2c", **SMALL, connections=3000, idle=True, about="idle HTTP/2 connections in clear text"),
)}


def choose(names):
    chosen = []
    for name in names.split(","):
        if name not in ALL:
            raise Failure(f"no workload is called {name}; there are {', '.join(ALL)}")
        chosen.append(ALL[name])
    return chosen

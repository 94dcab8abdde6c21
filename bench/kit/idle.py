"""How much memory of its own a peer holds for a keep-alive connection that waits.

Each connection does one request, one after the other, so no peer is charged for a burst's
buffers. Sockets' memory in the kernel is not counted: it is the same for all.
"""

import contextlib
import ssl
import time

from kit import http, http2
from kit.failure import Failure

SETTLE_SECONDS = 5
WARM_UP_CONNECTIONS = 10  # what a peer allocates once, whatever the number of connections


def bytes_a_connection(started, workload):
    address = f"{workload.addresses[0]}:{started.port}"
    with contextlib.ExitStack() as stack:
        def open_idle(count):
            opened = []
            for _ in range(count):
                connection = stack.enter_context(http.connect(address, secure=workload.is_secure))
                status = (http2 if workload.is_http2 else http).get(connection, workload.path)
                if status != 200:
                    raise Failure(f"{started.name} in {workload.name}: status {status}")
                opened.append(connection)
            return opened

        connections = open_idle(WARM_UP_CONNECTIONS)
        before = _settled_bytes(started.process)
        connections += open_idle(workload.connections)
        after = _settled_bytes(started.process)
        for connection in connections:
            _check_idle(connection, started.name)
    return (after - before) / workload.connections


def _settled_bytes(process):
    deadline = time.monotonic() + SETTLE_SECONDS
    last = process.anonymous_bytes()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = process.anonymous_bytes()
        if now == last:
            break
        last = now
    return last


def _check_idle(connection, name):
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
        data = connection.recv(1)
        raise Failure(f"{name} {'sent more on' if data else 'closed'} an idle connection")

"""A client for single requests: readiness, and the connections that then stay idle."""

import socket
import ssl

from kit.failure import Failure
from kit.processes import wait_until

READY_SECONDS = 15
ANSWER_SECONDS = 5


def connect(address, *, secure=False):
    """secure: over TLS; whom the certificate names is nobody's business here."""
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS)
    if not secure:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def get(connection, path):
    """Returns the status; the connection has been read to the end of the answer."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench.test\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    lengths = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
    if not lengths and "transfer-encoding: chunked" in (line.lower() for line in lines):
        while not body.endswith(b"\r\n0\r\n\r\n"):  # no body of ours looks like that
            body += _more(connection)
        return int(lines[0].split()[1])
    if len(lengths) != 1:
        raise Failure(f"an answer without Content-Length: {head!r}")
    while len(body) < lengths[0]:
        body += _more(connection)
    return int(lines[0].split()[1])


def wait_for_200(address, path, *, process, secure=False):
    def answered():
        process.check_alive()
        try:
            with connect(address, secure=secure) as connection:
                return get(connection, path) == 200
        except (OSError, Failure):
            return False

    try:
        wait_until(answered, seconds=READY_SECONDS, what=f"{process.name} to answer 200 on {address}")
    except Failure as failure:
        raise Failure(f"{failure}; its log:\n{process.log_tail()}") from None


def _more(connection):
    data = connection.recv(65536)
    if not data:
        raise Failure("the connection was closed in the middle of an answer")
    return data

"""What every endpoint of the kit does with a socket: write, half-close, close, reset, and relay the result of a server."""

import asyncio
import contextlib
import fcntl
import socket
import ssl
import struct
import termios

from kit.wire import Source


SERVER_AHEAD_BYTES = 1 << 16  # taken from the kernel ahead of the script, as a server that reads at its own pace


class PatientReader(asyncio.StreamReader):
    """After an error of the connection it still hands out what had come before, and only then tells."""

    failed = False

    def set_exception(self, exc: Exception) -> None:
        self.failed = True
        self.feed_eof()


def reader_and_protocol(limit: int, serve=None) -> tuple[PatientReader, asyncio.StreamReaderProtocol]:
    reader = PatientReader(limit=limit)
    return reader, asyncio.StreamReaderProtocol(reader, serve)


class Peer:
    """One connection with its reader; writing to a dead one is not an error, reading tells the story."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.source = Source(reader)
        self.writer = writer
        raw = writer.get_extra_info("socket")
        if raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send(self, data: bytes, *, piece: int = 0, every: float = 0.0) -> None:
        step = piece or len(data) or 1
        for at in range(0, len(data), step):
            with contextlib.suppress(ConnectionError):
                self.writer.write(data[at:at + step])
                await self.writer.drain()
            # A turn of the loop for each piece, so that the kernel sees it as a write of its own.
            await asyncio.sleep(every)

    def unsent(self) -> int:
        """Bytes that the other side's kernel has not taken yet."""
        if self.writer.transport.is_closing():
            return 0
        raw = self.writer.get_extra_info("socket")
        queued = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return self.writer.transport.get_write_buffer_size() + struct.unpack("i", queued)[0]

    def half_close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # a connection that has ended meanwhile
            self.writer.write_eof()

    def half_close_below(self) -> None:
        """The end of the stream below TLS, without its close_notify."""
        self.writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self.writer.wait_closed()

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    """A listening socket whose every connection is served by a task that ends with it."""

    def __init__(self, serve, *, host: str = "127.0.0.1", port: int = 0, secure: ssl.SSLContext | None = None):
        self._serve = serve
        self._secure = secure
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()
        self.peers: set[Peer] = set()  # those that are open

    async def start(self) -> None:
        def accepted() -> asyncio.StreamReaderProtocol:
            return reader_and_protocol(SERVER_AHEAD_BYTES, self._accept)[1]

        self._server = await asyncio.get_running_loop().create_server(accepted, self._host, self._port, backlog=1024,
                                                                     ssl=self._secure)
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        peer = Peer(reader, writer)
        self.peers.add(peer)
        try:
            await self._serve(peer)
        except asyncio.CancelledError:
            pass  # stop() ends it; the stream's own callback must not see a cancelled task
        finally:
            self._tasks.discard(task)
            self.peers.discard(peer)
            writer.close()

    async def stop(self, *, cut: bool = True) -> None:
        """Nobody listens any more; with cut the open connections end as well."""
        if self._server:
            self._server.close()
            self._server = None
        if cut:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_ports(count: int) -> int:
    """The first of so many in a row, free on every address of this machine."""
    for _ in range(100):
        first = free_port()
        held = []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("0.0.0.0", port))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for each in held:
                each.close()
    raise OSError(f"no {count} free ports in a row")

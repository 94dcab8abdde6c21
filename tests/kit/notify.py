"""A fake service manager's notification socket (sd_notify): what the program says of itself."""

import asyncio
import contextlib
import os
import pathlib
import socket


class NotifySocket:
    def __init__(self, folder: pathlib.Path):
        self.path = folder / "notify.sock"
        self.said: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self.path))

    async def wait_for(self, line: str) -> None:
        """Returns once that line was said; the caller bounds the time."""
        while line not in self.said:
            data = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
            self.said += data.decode("utf-8", "replace").splitlines()

    def drain(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said += self._socket.recv(4096).decode("utf-8", "replace").splitlines()
        return self.said

    def close(self) -> None:
        self._socket.close()

#!/usr/bin/env python3
"""The unit file, as systemd reads it, and the descriptors that a service manager holds while Ballast is away.

    tests/real/systemd.py --ballast build/test/ballast

The manager itself is played by this test: it hears FDSTORE=1, keeps what comes beside it, and gives it to the next
process as LISTEN_FDS. The keeper is killed; a connection made while nobody runs is answered by the one that follows.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit.ballast import complete_config  # noqa: E402
from kit.failure import Failure  # noqa: E402

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0
# systemd's own measure, of ten: 2.0 is what its manual calls well confined; a service that needs the network stays above 1.
EXPOSURE_MAX = 2.0

CONFIG = """
listeners:
  web: { address: "127.0.0.1:0", protocol: http, default: { fixed_response: { body: hello } } }
  named: { address: "unix:%(folder)s/web.sock", protocol: http, default: { fixed_response: { body: hello } } }
  time: { address: "127.0.0.1:0", protocol: udp, default: { forward: clocks } }
target_groups:
  clocks: { protocol: udp, health_check: off, targets: [ "127.0.0.1:9" ] }
"""


def need(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


def check_unit(binary: str, folder: pathlib.Path) -> None:
    unit = folder / "ballast.service"
    unit.write_text((REPOSITORY / "packaging/ballast.service").read_text().replace("/usr/bin/ballast", binary))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
    need(verified.returncode == 0 and not verified.stderr, f"systemd-analyze verify: {verified.stderr}")
    judged = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX * 10:g}", unit],
                            capture_output=True, text=True, timeout=60)
    need(judged.returncode == 0, f"the unit is open too wide:\n{judged.stdout}")
    print(judged.stdout.strip().splitlines()[-1].encode("ascii", "ignore").decode().strip())


class Manager:
    """What of a service manager concerns descriptors."""

    def __init__(self, binary: str, folder: pathlib.Path):
        self._binary, self._folder = binary, folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify.sock"))
        self._socket.settimeout(PATIENCE)
        self.stored: dict[str, list[int]] = {}
        self._log = open(folder / "stderr.log", "ab")
        self.process: subprocess.Popen | None = None

    def start(self, config: pathlib.Path) -> None:
        descriptors = [fd for each in self.stored.values() for fd in each]

        # LISTEN_PID is the child's own number, which only a shell of ours in its place can tell.
        script = 'LISTEN_PID=$$ exec "$0" up "$1"'
        environment = os.environ | {"NOTIFY_SOCKET": str(self._folder / "notify.sock"), "LISTEN_FDS": str(len(descriptors))}

        def arrange() -> None:
            # Out of the way first: the places may hold others of them.
            moved = [os.dup(fd) for fd in descriptors]
            high = [os.dup2(fd, 500 + place) for place, fd in enumerate(moved)]
            for place, fd in enumerate(high):
                os.dup2(fd, 3 + place, inheritable=True)

        self.process = subprocess.Popen(["sh", "-c", script, self._binary, str(config)], stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=self._log, cwd=self._folder, env=environment, preexec_fn=arrange, close_fds=False)
        self.hear_until("READY=1")

    def hear_until(self, line: str) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            data, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
            said = data.decode().splitlines()
            fields = dict(each.split("=", 1) for each in said)
            if "FDSTORE" in fields:
                for _, _, payload in ancillary:
                    fds = [int.from_bytes(payload[i:i + 4], sys.byteorder) for i in range(0, len(payload), 4)]
                    self.stored.setdefault(fields["FDNAME"], []).extend(fds)
            if "FDSTOREREMOVE" in fields:
                for fd in self.stored.pop(fields["FDNAME"], []):
                    os.close(fd)
            if line in said:
                return
        raise Failure(f"{line} was not said")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        self._socket.close()
        for fds in self.stored.values():
            for fd in fds:
                os.close(fd)


REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def ask(family: int, address) -> socket.socket:
    """A connection with a request on it."""
    one = socket.socket(family)
    one.settimeout(PATIENCE)
    one.connect(address)
    one.sendall(REQUEST)
    return one


def check_answer(connection: socket.socket, what: str) -> None:
    with connection, connection.makefile("rb") as file:
        answer = file.read()
    need(answer.startswith(b"HTTP/1.1 200"), f"{what} got {answer[:100]!r}")


def addresses(manager: Manager) -> tuple[str, str]:
    """Of the http listener on TCP, and of the udp one."""
    web = time_ = ""
    for fds in manager.stored.values():
        for fd in fds:
            copy = socket.socket(fileno=os.dup(fd))
            if copy.family == socket.AF_INET:
                host, port = copy.getsockname()
                if copy.type == socket.SOCK_STREAM:
                    web = f"{host}:{port}"
                else:
                    time_ = f"{host}:{port}"
            copy.close()
    return web, time_


def check_store(binary: str, folder: pathlib.Path) -> None:
    config = folder / "ballast.yaml"
    config.write_text(complete_config(CONFIG % {"folder": folder}, folder))
    manager = Manager(binary, folder)
    try:
        manager.start(config)
        web, clock = addresses(manager)
        need(bool(web) and bool(clock), f"not all sockets are with the manager: {sorted(manager.stored)}")
        kinds = sorted(len(each) for each in manager.stored.values())
        need(kinds == [1, 1, 1, 2], f"one socket for each of two listeners and the API, two for udp: {manager.stored}")
        # The ports that the kernel chose stay.
        fixed = CONFIG.replace('web: { address: "127.0.0.1:0"', f'web: {{ address: "{web}"')
        fixed = fixed.replace('time: { address: "127.0.0.1:0"', f'time: {{ address: "{clock}"')
        config.write_text(complete_config(fixed % {"folder": folder}, folder))
        manager.kill()
        # Nobody runs; the kernel takes the connections all the same.
        host, port = web.rsplit(":", 1)
        waiting = ask(socket.AF_INET, (host, int(port)))
        local = ask(socket.AF_UNIX, str(folder / "web.sock"))
        manager.start(config)
        check_answer(waiting, "a connection that waited")
        check_answer(local, "one to the Unix socket that waited")
        check_answer(ask(socket.AF_INET, (host, int(port))), "a new connection")
        done = subprocess.run([binary, "status", "--socket", str(folder / "admin.sock")], capture_output=True, text=True, timeout=PATIENCE)
        need(done.returncode == 0, f"the API after it: {done.stderr}")
        manager.process.terminate()
        need(manager.process.wait(PATIENCE) == 0, "it did not end in order")
    except BaseException:
        print((folder / "stderr.log").read_text(errors="replace")[-8000:], file=sys.stderr)
        raise
    finally:
        manager.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ballast", default="build/release/ballast", help="the binary")
    arguments = parser.parse_args()
    binary = str(pathlib.Path(arguments.ballast).resolve())
    with tempfile.TemporaryDirectory(prefix="ballast-systemd-") as name:
        folder = pathlib.Path(name)
        try:
            if shutil.which("systemd-analyze") is None:
                print("the unit file is not looked at: systemd-analyze is not installed")
            else:
                check_unit(binary, folder)
            check_store(binary, folder)
        except Failure as failure:
            print(f"Failure: {failure}", file=sys.stderr)
            return 1
    print("the unit holds, and so do the sockets")
    return 0


if __name__ == "__main__":
    sys.exit(main())

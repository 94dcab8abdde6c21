"""Processes the bench starts, what they used, and their end.

Every process is started in a session of its own and ended by its pid and by the pids of its
descendants, never by name. The kernel also ends it when the bench itself is killed.
"""

import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import time

from kit.failure import Failure

STOP_SECONDS = 5  # a proxy without traffic stops at once; after this it is killed


@dataclasses.dataclass(frozen=True)
class Cpu:
    """Microseconds of processor time. The total is exact, user is what the kernel's ticks say of it."""

    total: float
    user: float

    @property
    def system(self):
        return self.total - self.user


@dataclasses.dataclass(frozen=True)
class _Usage:
    run_ns: int
    user_ticks: int
    system_ticks: int


class Process:
    def __init__(self, name, command, *, folder, cores=None):
        """cores: as taskset -c takes them; None leaves the choice to the scheduler."""
        self.name = name
        self.log = folder / f"{name}.log"
        pin = ["taskset", "-c", cores] if cores else []
        with open(self.log, "wb") as log:
            self._popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *pin, *map(str, command)], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def check_alive(self):
        status = self._popen.poll()
        if status is not None:
            raise Failure(f"{self.name} ended with status {status}:\n{self.log_tail()}")

    def log_tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    @contextlib.contextmanager
    def cpu(self):
        """What the process and its descendants use inside the with block; read it afterwards."""
        before = self._usage()
        used = []
        yield lambda: used[0]
        after = self._usage()
        total = (after.run_ns - before.run_ns) / 1000
        user = after.user_ticks - before.user_ticks
        ticks = user + after.system_ticks - before.system_ticks
        used.append(Cpu(total=total, user=total * user / ticks if ticks else 0.0))

    def anonymous_bytes(self):
        """Memory of its own: heap, stacks, private pages; shared ones in proportion."""
        total = 0
        for pid in self.pids():
            for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
                if line.startswith("Pss_Anon:"):
                    total += int(line.split()[1]) * 1024
        return total

    def pids(self):
        found, todo = [], [self._popen.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in _tasks(pid):
                todo += map(int, _read(f"{task}/children").split())
        return found

    def stop(self):
        family = {pid: _start_time(pid) for pid in self.pids()}
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_SECONDS)
        for pid, start_time in family.items():
            if start_time and _start_time(pid) == start_time:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._popen.wait(STOP_SECONDS)

    def _usage(self):
        self.check_alive()
        run_ns = user = system = 0
        for pid in self.pids():
            for task in _tasks(pid):
                run_ns += int((_read(f"{task}/schedstat").split() or [0])[0])
            fields = _stat(pid)
            if fields:
                user += int(fields[11])
                system += int(fields[12])
        return _Usage(run_ns=run_ns, user_ticks=user, system_ticks=system)


@contextlib.contextmanager
def running(*started):
    """Stops them all on the way out, whatever happens."""
    try:
        yield
    finally:
        for process in started:
            process.stop()


def wait_until(done, *, seconds, what):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def _tasks(pid):
    try:
        return list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _stat(pid):
    """The fields after the command name: [0] is the state, [11] utime, [12] stime, [19] the start time."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _start_time(pid):
    fields = _stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""

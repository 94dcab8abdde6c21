"""Ballast: the real binary as a process, in a folder of its own, on ports the kernel chose.

Ready is what the program itself says: READY=1 on its notification socket. Its end is by pid; a sanitizer's report, a
crash or an unexpected exit status is a Failure.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import signal

from kit.failure import Failure
from kit.no_pipes import deny_pipes
from kit.notify import NotifySocket
from kit.peer import free_port

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
COMMAND_SECONDS = 30.0
PAUSE_SECONDS = 10.0
TALKS_TO_RUNNING = {"apply", "plan", "status", "events", "target", "explain", "top", "reload", "upgrade", "history", "rollback", "confirm",
                    "maintenance"}

_SANITIZER = re.compile(r"(ERROR|WARNING): \w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer")
_SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": "second_deadlock_stack=1:exitcode=99",
}


@dataclasses.dataclass
class Completed:
    command: str
    exit: int
    out: str
    err: str

    def describe(self) -> str:
        return f"$ {self.command}\nexit {self.exit}\n--- stdout\n{self.out}--- stderr\n{self.err}"


def complete_config(text: str, folder: pathlib.Path, *, admin_http: str = "") -> str:
    """Adds what every test needs and no reader wants to see: socket, state directory, access log, two workers."""
    http = f', http: "{admin_http}"' if admin_http else ""
    defaults = {
        "admin": f"{{ socket: {folder}/admin.sock{http} }}",
        "state_directory": f"{folder}/state",
        "access_log": f"{{ path: {folder}/access.log }}",
        "workers": "2",
        "shutdown_timeout": "5s",
    }
    missing = [f"{key}: {value}" for key, value in defaults.items() if not re.search(rf"^{key}:", text, re.MULTILINE)]
    return text + "\n".join(missing) + "\n"


class Ballast:
    def __init__(self, binary: str, folder: pathlib.Path):
        self.binary = binary
        self.folder = folder
        self.socket = folder / "admin.sock"
        self.access_log = folder / "access.log"
        self.stderr_path = folder / "stderr.log"
        self.admin_http = f"127.0.0.1:{free_port()}"
        self.environment: dict[str, str] = {}
        self.descriptors = 0
        self.denied_pipes = False
        self.notify = NotifySocket(folder)
        self._process: asyncio.subprocess.Process | None = None
        self._paused = 0

    @property
    def pid(self) -> int:
        """Of the keeper, which is what was started."""
        return self._process.pid

    @property
    def serving_pid(self) -> int:
        """Of the youngest process that the keeper has started."""
        children = self._children()
        if not children:
            raise Failure("the keeper has no serving process")
        return children[-1]

    def _children(self) -> list[int]:
        """The kernel leaves one out where another ends while the list is read (proc(5)): asked until it says the same twice."""
        file = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children")
        before, now = None, file.read_text()
        while before != now:
            before, now = now, file.read_text()
        return [int(each) for each in now.split()]

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def environ(self) -> dict[str, str]:
        return os.environ | _SANITIZER_OPTIONS | {"NOTIFY_SOCKET": str(self.notify.path)} | self.environment

    async def start(self, config: pathlib.Path) -> None:
        def limit() -> None:
            if self.descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors))
            if self.denied_pipes:
                deny_pipes()

        self.notify.drain()  # what the one before has said last
        self.notify.said.clear()
        with open(self.stderr_path, "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self.binary, "up", str(config), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=self.environ(), preexec_fn=limit)
        ready = asyncio.create_task(self.notify.wait_for("READY=1"))
        ended = asyncio.create_task(self._process.wait())
        await asyncio.wait({ready, ended}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done() or ended.done():
            ready.cancel()
            why = f"ended with status {self._process.returncode}" if ended.done() else f"not ready within {READY_SECONDS:g} s"
            raise Failure(f"ballast up: {why}\n{self.stderr()}")

    def pipes_open(self) -> int:
        """Both ends of one count as one."""
        ends = set()
        # A stand-in of the kit's own tests has no keeper.
        for each in pathlib.Path(f"/proc/{(self._children() or [self.pid])[-1]}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed just now
                ends.add(os.readlink(each))
        return sum(1 for each in ends if each.startswith("pipe:"))

    def stderr(self) -> str:
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    async def command(self, *words: str) -> Completed:
        """Runs `ballast WORDS`, with --socket where the command talks to the running one."""
        words = tuple(words)
        if words and words[0] in TALKS_TO_RUNNING and "--socket" not in words:
            words += ("--socket", str(self.socket))
        return await run(self.binary, *words, folder=self.folder, environment=_without_notify(self.environ()))

    async def status(self) -> dict:
        done = await self.command("status", "--json")
        if done.exit != 0:
            raise Failure(done.describe())
        try:
            return json.loads(done.out)
        except ValueError as error:
            raise Failure(f"status --json is not JSON ({error}):\n{done.out[:500]}") from None

    async def listeners(self) -> dict[str, str]:
        """The real address of each listener by name."""
        return {each["name"]: each["address"] for each in (await self.status())["listeners"]}

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # ended just now: its status tells more
            os.kill(self.pid, number)

    async def pause(self) -> None:
        """Stops the process that serves, until `go_on`. The signal is on its way when kill(2) returns: waits until each of
        its threads has stopped."""
        pid = (self._children() or [self.pid])[-1]  # a stand-in of the kit's own tests has no keeper
        os.kill(pid, signal.SIGSTOP)
        self._paused = pid
        async with asyncio.timeout(PAUSE_SECONDS):
            while any(_state_of(task) != "T" for task in pathlib.Path(f"/proc/{pid}/task").iterdir()):
                await asyncio.sleep(0.001)

    def go_on(self) -> None:
        if self._paused:
            os.kill(self._paused, signal.SIGCONT)
        self._paused = 0

    async def wait_exit(self, patience: float) -> int:
        try:
            async with asyncio.timeout(patience):
                return await self._process.wait()
        except TimeoutError:
            raise Failure(f"ballast still runs {patience:g} s later\n{self.stderr()[-2000:]}") from None

    async def stop(self) -> None:
        """Ends it in order and checks that it went well."""
        try:
            self.go_on()
            if self.running:
                self.signal(signal.SIGTERM)
                status = await self.wait_exit(STOP_SECONDS)
                if status != 0:
                    raise Failure(f"ballast ended with status {status} after SIGTERM\n{self.stderr()[-4000:]}")
            self.check_sanitizers()
        finally:
            self.kill()
            self.notify.close()

    def check_sanitizers(self) -> None:
        report = _SANITIZER.search(self.stderr())
        if report:
            raise Failure(f"a sanitizer reports:\n{self.stderr()[report.start():][:6000]}")

    def kill(self) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


def _state_of(task: pathlib.Path) -> str:
    """As in proc_pid_stat(5): the letter behind the name, which may have brackets itself."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the thread has ended: it does nothing either
        return "T"


def _without_notify(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != "NOTIFY_SOCKET"}


async def run(*command: str, folder: pathlib.Path, environment: dict[str, str] | None = None, given: bytes = b"") -> Completed:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, cwd=folder, env=environment)
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            out, err = await process.communicate(given or None)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Failure(f"$ {' '.join(command)}\nstill runs after {COMMAND_SECONDS:g} s") from None
    done = Completed(" ".join(command), process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    if _SANITIZER.search(done.err):
        raise Failure(f"a sanitizer reports:\n{done.describe()}")
    return done

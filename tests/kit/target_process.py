"""A fake upstream as a process of its own, to be killed and started again on the same port."""

import asyncio
import collections
import os
import pathlib
import sys

from kit.failure import Failure
from kit.peer import free_port

TESTS = pathlib.Path(__file__).resolve().parent.parent
START_SECONDS = 20.0


class TargetProcess:
    def __init__(self, name: str, folder: pathlib.Path, *, host: str = "127.0.0.1", port: int = 0, steps: tuple[str, ...] = ()):
        """steps: of a rule for all requests (origin.py)."""
        self.name, self.steps = name, steps
        self.host, self.port = host, port or free_port()
        self.journal = folder / f"{name}.journal"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kit.origin", "--name", self.name, "--host", self.host, "--port", str(self.port),
            "--journal", str(self.journal), *(f"--step={each}" for each in self.steps), cwd=TESTS, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(TESTS)})
        try:
            async with asyncio.timeout(START_SECONDS):
                if await self._process.stdout.readline() != b"ready\n":
                    raise Failure(f"target {self.name} did not start on {self.address}")
        except TimeoutError:
            raise Failure(f"target {self.name} did not start within {START_SECONDS:g} s") from None

    async def kill(self) -> None:
        """SIGKILL, and back when the process is gone and the kernel has closed its connections."""
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            await self.kill()


def journal_counts(targets: list[TargetProcess]) -> collections.Counter[str]:
    """How often each POST id was acted upon, over all targets and all their lives."""
    counts: collections.Counter[str] = collections.Counter()
    for target in targets:
        if target.journal.exists():
            counts.update(target.journal.read_text().split())
    return counts

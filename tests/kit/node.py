"""Packages from npm for the programs of a folder, installed where its package-lock.json says what they are."""

import pathlib
import shutil

from kit.ballast import run
from kit.failure import Failure


def is_there() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


async def install(source: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    """Copies the programs into a folder of the test's own and gives them their packages there."""
    folder = into / source.name
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules"))
    done = await run("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)
    if done.exit != 0:
        raise Failure(done.describe())
    return folder

"""Fills bench/peers/NAME: every @WORD@ must be given, and every given word must be used."""

import pathlib
import re

from kit.failure import Failure

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "peers"


def render(name, **words):
    text = (FOLDER / name).read_text()
    wanted = set(re.findall(r"@([a-z_]+)@", text))
    if wanted != set(words):
        raise Failure(f"peers/{name} wants {sorted(wanted)} and was given {sorted(words)}")
    return re.sub(r"@([a-z_]+)@", lambda match: str(words[match[1]]), text)

"""What the program tells of itself, read back: metrics text, JSON by path, access log records."""

import json
import re
import shlex

from kit.failure import Failure
from kit.text import matches

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_STEP = re.compile(r"(\w[\w-]*)|\[(\d+)\]|\[(\w+)=([^\]]*)\]|(#)")


class Metrics:
    def __init__(self, text: str):
        self.text = text
        self._samples = []
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            match = _SAMPLE.fullmatch(line)
            if not match:
                raise Failure(f"not a metrics line: {line}")
            self._samples.append((match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])))

    def values(self, selector: str) -> list[float]:
        """Of every sample of that name whose labels include the given ones."""
        match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?", selector)
        if not match:
            raise Failure(f"not a metric: {selector}")
        labels = dict(_LABEL.findall(match[2] or ""))
        return [value for name, have, value in self._samples
                if name == match[1] and all(have.get(key) == wanted for key, wanted in labels.items())]

    def labelled(self, name: str) -> list[tuple[dict[str, str], float]]:
        return [(labels, value) for each, labels, value in self._samples if each == name]

    def check(self, wanted: str) -> str:
        """`name{label="x"} 3`, `... >= 3` or `... absent`; the problem, or nothing."""
        match = re.fullmatch(r"(\w+(?:\{.*\})?) (?:(>=) )?(\S+)", wanted)
        if not match:
            raise Failure(f"not a metric expectation: {wanted}")
        values = self.values(match[1])
        if match[3] == "absent":
            return f"{match[1]} is there: {values}" if any(values) else ""
        if not values:
            return f"{match[1]} is not there"
        total = sum(values)
        good = total >= float(match[3]) if match[2] else total == float(match[3])
        return "" if good else f"{match[1]} is {total:g}, wanted {match[2] or ''}{match[3]}"


def look_up(value: object, path: str) -> object:
    """`listeners[name=web].traffic.requests`, `targets[0].state`, `targets.#` (how many)."""
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if not match:
            raise Failure(f"not a JSON path: {path}")
        value = _step(value, match, path)
        at = match.end()
        if at < len(path) and path[at] == ".":
            at += 1
    return value


def _step(value: object, match: re.Match, path: str) -> object:
    key, index, name, wanted, count = match.groups()
    if count:
        return len(value)
    if key is not None:
        if not isinstance(value, dict) or key not in value:
            have = ", ".join(value) if isinstance(value, dict) else type(value).__name__
            raise LookupError(f"{path}: no {key} in {have}")
        return value[key]
    if not isinstance(value, list):
        raise LookupError(f"{path}: {match[0]} of {type(value).__name__}")
    if index is not None:
        if int(index) >= len(value):
            raise LookupError(f"{path}: {match[0]} of {len(value)}")
        return value[int(index)]
    found = [each for each in value if str(each.get(name)) == wanted]
    if not found:
        raise LookupError(f"{path}: none has {name}={wanted}")
    return found[0]


def check_json(text: str, wanted: str) -> str:
    """`PATH is PATTERN`; the problem, or nothing."""
    path, _, pattern = wanted.partition(" is ")
    try:
        value = look_up(json.loads(text), path.strip())
    except ValueError as error:
        return f"not JSON: {error}: {text[:300]}"
    except LookupError as error:
        return str(error)
    shown = value if isinstance(value, str) else json.dumps(value)
    return "" if matches(pattern.strip(), shown) else f"{path} is {shown}, wanted {pattern}"


class Records:
    """The access log as JSON lines."""

    def __init__(self, text: str):
        self.lines = text.splitlines()

    def check(self, wanted: str) -> str:
        """`status=200 path=/x reason=`: one record has all of these (a value may hold `*`; nothing: the key is not there)."""
        pairs = [word.partition("=") for word in shlex.split(wanted)]
        for line in self.lines:
            try:
                record = json.loads(line)
            except ValueError:
                return f"not JSON: {line}"
            if all(_fits(record, key, pattern) for key, _, pattern in pairs):
                return ""
        return f"no record has {wanted}; there are {len(self.lines)}:\n" + "\n".join(self.lines[-8:])

    def distinct(self, wanted: str, key: str) -> set[str]:
        """The values of a key in the records that have all of `wanted`."""
        pairs = [word.partition("=") for word in shlex.split(wanted)]
        records = map(json.loads, self.lines)
        return {_shown(each.get(key)) for each in records if all(_fits(each, name, pattern) for name, _, pattern in pairs)}


def _fits(record: dict, key: str, pattern: str) -> bool:
    return matches(pattern, _shown(record[key])) if key in record else pattern == ""


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)

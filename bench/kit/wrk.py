"""The client under load: wrk, its numbers, and the refusal to report a run that had errors."""

import dataclasses
import json
import os
import pathlib
import subprocess

from kit.failure import Failure

SCRIPT = pathlib.Path(__file__).resolve().parent / "wrk.lua"
ANSWER_SECONDS = 10  # an answer later than this is an error


@dataclasses.dataclass(frozen=True)
class Load:
    requests: int
    seconds: float
    p50_us: float
    p99_us: float


def run(workload, *, port, seconds, threads, cores, peer):
    pin = ["taskset", "-c", cores] if cores else []
    close = ["-H", "Connection: close"] if workload.close else []
    addresses = workload.addresses
    threads = max(threads, len(addresses))
    command = ["setpriv", "--pdeathsig", "TERM", *pin, "wrk", "-t", threads, "-c", workload.connections,
               "-d", f"{seconds}s", "--latency", "--timeout", f"{ANSWER_SECONDS}s", "-s", SCRIPT, *close,
               f"{'https' if workload.is_secure else 'http'}://{addresses[0]}:{port}{workload.path}"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds + 2 * ANSWER_SECONDS,
                          env={**os.environ, "BENCH_ADDRESSES": " ".join(addresses), "BENCH_PORT": str(port)})
    _, found, numbers = done.stdout.partition("BENCH ")
    if done.returncode != 0 or not found:
        raise Failure(f"wrk failed against {peer} in {workload.name}:\n{done.stdout}{done.stderr}")
    return _checked(json.loads(numbers), workload=workload, peer=peer)


def _checked(numbers, *, workload, peer):
    where = f"{peer} in {workload.name}"
    errors = {name: count for name, count in numbers["errors"].items() if count}
    if errors:
        raise Failure(f"{where}: {numbers['requests']} requests with errors: {errors}")
    if not numbers["requests"]:
        raise Failure(f"{where}: not one request was answered")
    if numbers["bytes"] < numbers["requests"] * workload.body_bytes:
        raise Failure(f"{where}: {numbers['bytes']} bytes are too few for {numbers['requests']} answers")
    return Load(requests=numbers["requests"], seconds=numbers["duration_us"] / 1e6,
                p50_us=numbers["p50_us"], p99_us=numbers["p99_us"])

"""The client for HTTP/2: h2load, its numbers, and the refusal to report a run that had errors."""

import os
import re
import subprocess
import tempfile

from kit.failure import Failure
from kit.wrk import Load

PATIENCE_SECONDS = 20
# A message of gRPC: not compressed, 64 bytes.
MESSAGE = b"\0\0\0\0\x40" + b"x" * 64
CALL = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


def run(workload, *, port, seconds, threads, cores, peer):
    with tempfile.TemporaryDirectory() as folder:
        message, log = os.path.join(folder, "message"), os.path.join(folder, "log")
        with open(message, "wb") as file:
            file.write(MESSAGE)
        pin = ["taskset", "-c", cores] if cores else []
        call = ["-d", message, *CALL] if workload.mode == "grpc" else []
        plain = [] if workload.is_secure else ["-p", "h2c"]
        command = ["setpriv", "--pdeathsig", "TERM", *pin, "h2load", "-t", threads, "-c", workload.connections,
                   "-m", workload.streams, "-D", seconds, "--log-file", log, *plain, *call,
                   f"{'https' if workload.is_secure else 'http'}://{workload.addresses[0]}:{port}{workload.path}"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds + PATIENCE_SECONDS)
        where = f"{peer} in {workload.name}"
        if done.returncode != 0 or "Application protocol: h2" not in done.stdout:
            raise Failure(f"h2load failed against {where}:\n{done.stdout}{done.stderr}")
        answered, wrong, took = 0, 0, []
        with open(log, encoding="ascii") as lines:
            for line in lines:
                _, status, us = line.split()
                answered += 1
                wrong += status != "200"
                took.append(int(us))
    # What was under way at the end counts as neither.
    errors = {name: int(count) for count, name in re.findall(r"(\d+) (errored|timeout)", done.stdout)}
    if wrong or errors.get("timeout") or errors.get("errored"):
        raise Failure(f"{where}: {answered} requests, {wrong} without 200, {errors}:\n{done.stdout}")
    if not answered:
        raise Failure(f"{where}: not one request was answered")
    data = int(re.search(r"\((\d+)\) data", done.stdout).group(1))
    if data < answered * workload.body_bytes:
        raise Failure(f"{where}: {data} bytes are too few for {answered} answers")
    took.sort()
    return Load(requests=answered, seconds=seconds, p50_us=took[len(took) // 2], p99_us=took[len(took) * 99 // 100])

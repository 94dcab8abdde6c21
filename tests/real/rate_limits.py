#!/usr/bin/env python3
"""A limit of rate under load: several workers and more requests than they may serve admit the burst and the rate, and no more.

Load comes from wrk (HTTP/1.1) and h2load (HTTP/2), many times what is permitted. Between the first request and the last there
are SECONDS, so that BURST + RATE * SECONDS are admitted, within TOLERANCE; over a reload in the middle as well. Then a gRPC
call that is refused, by curl: it is told in its own terms. And connections of one address, made and closed by the thousand
over several reloads, in clear text and over TLS: afterwards as many fit as the limit says, so none was forgotten.

    tests/real/rate_limits.py --ballast build/test/ballast
"""

import argparse
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SECONDS = 3
SECONDS_MAX = 20
RATE = 200
BURST = 100
TOLERANCE = 0.02
CONNECTIONS = 20  # of one address
CONFIG = """
listeners:
  web:
    address: "127.0.0.1:{web}"
    rate_limits: {{ name: each, requests: {rate}, per: 1s, burst: {burst} }}
    rules: [ {{ name: other, match: {{ path: "/other{change}" }}, fixed_response: {{ status: 204 }} }} ]
    default: {{ fixed_response: {{ body: "x" }} }}
  calls:
    address: "127.0.0.1:{calls}"
    rate_limits: {{ requests: 1, per: 1h }}
    default: {{ fixed_response: {{ body: "x" }} }}
  crowd:
    address: "127.0.0.1:{crowd}"
    limits: {{ connections_per_address: {connections} }}
    default: {{ fixed_response: {{ body: "x" }} }}
  crowd_tls:
    address: "127.0.0.1:{crowd_tls}"
    protocol: https
    certificates: {{ cert: {folder}/crowd.pem, key: {folder}/crowd.pem }}
    limits: {{ connections_per_address: {connections} }}
    default: {{ fixed_response: {{ body: "x" }} }}
admin: {{ socket: {folder}/admin.sock, http: "127.0.0.1:{admin}" }}
state_directory: {folder}/state
workers: {workers}
"""


def fail(words):
    raise SystemExit(f"rate_limits: {words}")


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Ballast:
    def __init__(self, binary, folder, workers):
        self.binary, self.folder, self.workers = binary, folder, workers
        self.web, self.calls, self.crowd, self.crowd_tls, self.admin = free_ports(5)
        self.reloads = 0
        self.configure()
        self.process = subprocess.Popen([binary, "up", str(folder / "ballast.yaml")], stderr=subprocess.PIPE)
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                self.counts()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.process.kill()
                    fail(f"ballast did not start:\n{self.process.stderr.read().decode()}")
                time.sleep(0.02)

    def configure(self):
        (self.folder / "ballast.yaml").write_text(CONFIG.format(
            web=self.web, calls=self.calls, crowd=self.crowd, crowd_tls=self.crowd_tls, admin=self.admin, folder=self.folder,
            workers=self.workers, rate=RATE, burst=BURST, connections=CONNECTIONS, change=f"/{self.reloads}"))

    def counts(self):
        """Of the limit on `web`: result to count."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=SECONDS_MAX) as page:
            text = page.read().decode()
        found = re.findall(r'^ballast_rate_limit_requests_total\{listener="web".*result="(\w+)"\} (\d+)$', text, re.MULTILINE)
        return {result: int(count) for result, count in found}

    def reload(self):
        self.reloads += 1
        self.configure()
        done = subprocess.run([self.binary, "reload", "--socket", str(self.folder / "admin.sock")], capture_output=True,
                              text=True, timeout=SECONDS_MAX)
        if done.returncode != 0:
            fail(f"ballast reload: {done.stdout}{done.stderr}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if (status := self.process.wait(timeout=SECONDS_MAX)) != 0:
            fail(f"ballast ended with {status}:\n{self.process.stderr.read().decode()}")


def under_load(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + SECONDS_MAX)
    if done.returncode != 0:
        fail(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds_of_wrk(text):
    return float(re.search(r"requests in ([\d.]+)s", text)[1])


def expect(what, admitted, seconds, limited):
    wanted = BURST + RATE * seconds
    off = admitted / wanted - 1
    print(f"rate_limits: {what}: {admitted} admitted in {seconds:.2f} s, wanted {wanted:.0f} ({off:+.2%}); {limited} refused", flush=True)
    if limited < 3 * admitted:
        fail(f"{what}: only {limited} were over the limit: that was no load")
    if abs(off) > TOLERANCE:
        fail(f"{what}: {admitted} were admitted and not {wanted:.0f}")


def load(ballast, what, command, seconds_of, beside=None):
    """Begins with a whole burst: whatever was used up has come back."""
    time.sleep(BURST / RATE)
    before = ballast.counts()
    thread = threading.Timer(SECONDS / 2, beside) if beside else None
    if thread:
        thread.start()
    text = under_load(command)
    if thread:
        thread.join()
    after = ballast.counts()
    expect(what, after["admitted"] - before["admitted"], seconds_of(text), after["limited"] - before["limited"])


def call(ballast):
    """The first of the hour is served, the second is a call refused in gRPC's terms."""
    command = ["curl", "-s", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "-X", "POST", "-H", "Content-Type: application/grpc",
               f"http://127.0.0.1:{ballast.calls}/service/Call"]
    subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=True)
    head = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=True).stdout.lower()
    wanted = ["http/2 200", "grpc-status: 8", "(rate_limited, request ", "retry-after: 3600"]
    missing = [each for each in wanted if each not in head]
    if missing:
        fail(f"a refused call lacks {', '.join(missing)}:\n{head}")
    print("rate_limits: a refused call is told RESOURCE_EXHAUSTED", flush=True)


def fits(port, context):
    """How many connections of this address are served at once; one more than the limit is tried."""
    held = []
    try:
        for _ in range(CONNECTIONS + 1):
            one = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX)
            held.append(one)
            try:
                if context:
                    one = held[-1] = context.wrap_socket(one)
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                if not one.recv(64).startswith(b"HTTP/1.1 200"):
                    return len(held) - 1
            except OSError:  # closed before the handshake
                return len(held) - 1
        return len(held)
    finally:
        for each in held:
            each.close()


def churn(ballast, what, url, port, context):
    """Three times as many connections as may be there, each for one request."""
    stop = threading.Event()

    def reload_often():
        while not stop.wait(SECONDS / 6):
            ballast.reload()

    thread = threading.Thread(target=reload_often)
    thread.start()
    try:
        text = under_load(["wrk", "-t", "1", "-c", str(3 * CONNECTIONS), "-d", f"{SECONDS}s", "-H", "Connection: close", url])
    finally:
        stop.set()
        thread.join()
    made = int(re.search(r"(\d+) requests in", text)[1])
    deadline = time.monotonic() + SECONDS_MAX
    while (count := fits(port, context)) != CONNECTIONS:
        if time.monotonic() > deadline:
            fail(f"{what}: after {made} connections {count} fit, and not {CONNECTIONS}")
        time.sleep(0.1)
    print(f"rate_limits: {what}: {CONNECTIONS} fit after {made} connections and {ballast.reloads} reloads", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ballast", required=True)
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args()
    missing = [each for each in ("wrk", "h2load", "curl", "openssl") if not shutil.which(each)]
    if missing:
        print(f"SKIPPED: no {', '.join(missing)}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=crowd.test", "-keyout", f"{folder}/crowd.pem", "-out", f"{folder}/crowd.crt"],
                       check=True, capture_output=True, timeout=SECONDS_MAX)
        with open(f"{folder}/crowd.pem", "a") as both, open(f"{folder}/crowd.crt") as certificate:
            both.write(certificate.read())
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        ballast = Ballast(str(pathlib.Path(options.ballast).resolve()), pathlib.Path(folder), options.workers)
        try:
            url = f"http://127.0.0.1:{ballast.web}/"
            wrk = ["wrk", "-t", "1", "-c", "32", "-d", f"{SECONDS}s", url]
            load(ballast, "wrk, 32 connections", wrk, seconds_of_wrk)
            load(ballast, "the same over a reload", wrk, seconds_of_wrk, ballast.reload)
            h2load = ["h2load", "-t", "1", "-c", "8", "-m", "8", "-D", str(SECONDS), url]
            load(ballast, "h2load, 64 streams", h2load, lambda _: float(SECONDS))
            call(ballast)
            churn(ballast, "connections in clear text", f"http://127.0.0.1:{ballast.crowd}/", ballast.crowd, None)
            churn(ballast, "connections over TLS", f"https://127.0.0.1:{ballast.crowd_tls}/", ballast.crowd_tls, unverified)
        finally:
            ballast.stop()
    return 0


sys.exit(main())

#!/usr/bin/env python3
"""Files beside nginx: for conditional requests and ranges where RFC 9110 leaves no choice, both answer the same.

Compared are the status, the body, and the headers that say what the body is. Entity-tags differ by design, so each server
is asked with its own. Left out is where the RFC allows either (malformed ranges, ranges that are more than the whole),
and a tag beside a date in the same request, of which nginx wants both to hold against RFC 9110 13.1.3 and 13.1.4.

    tests/real/static_nginx.py --ballast build/test/ballast
"""

import argparse
import email.utils
import http.client
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SECONDS_MAX = 20
COMPARED = ["Content-Range", "Content-Length", "Last-Modified", "Location"]
NGINX = """
user {user};
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
    access_log off; if_modified_since before; max_ranges 16; absolute_redirect off;
    types {{ text/plain txt; text/html html; }}
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen {listen}; root {root}; index index.html; }}
}}
"""
BALLAST = """
listeners: {{ web: {{ address: "{listen}", default: {{ files: {{ root: {root} }} }} }} }}
admin: {{ socket: {folder}/admin.sock }}
state_directory: {folder}/state
workers: 1
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name, command, port):
        self.name, self._port = name, port
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def wait_ready(self):
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                self.ask("GET", "/", {})
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} does not answer:\n{self._process.stderr.read().decode()}") from None
                time.sleep(0.05)

    def ask(self, method, path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS_MAX)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(SECONDS_MAX)


def parts(headers, body):
    """A multipart body without its boundary, which is each server's own."""
    kind = headers.get("Content-Type", "")
    if not kind.startswith("multipart/byteranges"):
        return body
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    found = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, data = part.strip(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n"))
        found.append((fields[b"Content-Range"], data))
    return found


def dates(modified):
    stamp = lambda at: email.utils.formatdate(at, usegmt=True)  # noqa: E731
    return {"before": stamp(modified - 60), "same": stamp(modified), "after": stamp(modified + 60), "nonsense": "yesterday"}


def requests(tag, modified):
    """(method, path, headers); `tag` is the asked server's own."""
    at = dates(modified)
    plain = [{}]
    none_match = [{"If-None-Match": value} for value in (tag, "*", '"x"', f'"x", {tag}', f'W/{tag}', f'"a",W/"b" , {tag}')]
    match = [{"If-Match": value} for value in (tag, "*", '"x"', f'"x", {tag}', f'W/{tag}')]
    modified_since = [{"If-Modified-Since": at[name]} for name in ("before", "same", "after", "nonsense")]
    unmodified_since = [{"If-Unmodified-Since": at[name]} for name in ("before", "same", "after")]
    both = [{**a, **b} for a, b in itertools.chain(
        itertools.product(match, none_match), itertools.product(unmodified_since, modified_since[:3]))]
    conditions = plain + none_match + match + modified_since + unmodified_since + both
    ranges = [{"Range": f"bytes={value}"} for value in (
        "0-0", "0-99", "10-19", "90-", "90-1000", "-1", "-10", "99-99", "99-99999999999999", "100-", "100-200",
        "0-9,20-29", "0-0,-1", "0-9,200-300", "1-1,3-3,5-5,7-7", "20-29,0-9")]
    if_range = [{"If-Range": value} for value in (tag, '"x"', at["same"], at["before"])]
    for condition in conditions:
        for method in ("GET", "HEAD"):
            yield method, "/file.txt", condition
    for part in ranges:
        for condition in plain + none_match[:3] + match[:3] + modified_since[:3] + unmodified_since + if_range:
            yield "GET", "/file.txt", {**part, **condition}
    for path in ("/", "/folder", "/folder?a=b", "/folder/", "/none", "/none/", "/file.txt/", "/empty.txt", "/large.txt",
                 "/a%20b.txt", "//folder//x.txt"):
        yield "GET", path, {}
        yield "HEAD", path, {}
    yield "GET", "/large.txt", {"Range": "bytes=1000000-1999999"}
    yield "GET", "/large.txt", {"Range": "bytes=0-99999,1000000-1999999"}


def compare(ballast, nginx, modified):
    tags = {}
    for server in (ballast, nginx):
        tags[server] = server.ask("GET", "/file.txt", {})[1]["ETag"]
        if not tags[server].startswith('"'):
            raise SystemExit(f"{server.name}: the tag {tags[server]} is not strong")
    count = 0
    for ours, theirs in zip(requests(tags[ballast], modified), requests(tags[nginx], modified), strict=True):
        (status, headers, body), (their_status, their_headers, their_body) = ballast.ask(*ours), nginx.ask(*theirs)
        problems = [] if status == their_status else [f"status {status}, nginx {their_status}"]
        if status == their_status and status in (200, 206, 301):
            compared = [name for name in COMPARED if not (status == 301 and name != "Location")]
            if headers.get("Content-Type", "").startswith("multipart/byteranges"):
                compared.remove("Content-Length")
            for name in compared:
                if headers.get(name) != their_headers.get(name):
                    problems.append(f"{name}: {headers.get(name)}, nginx {their_headers.get(name)}")
        if status in (200, 206) and parts(headers, body) != parts(their_headers, their_body):
            problems.append(f"a body of {len(body)} bytes, nginx {len(their_body)}, or other bytes")
        if status == 416 and headers.get("Content-Range") != their_headers.get("Content-Range"):
            problems.append("another Content-Range")
        if status in (304, 412, 416) and status == 304 and body:
            problems.append("a body")
        if problems:
            raise SystemExit(f"static_nginx: {ours} is answered differently: {'; '.join(problems)}")
        count += 1
    return count


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ballast", required=True)
    binary = pathlib.Path(options.parse_args().ballast).resolve()
    if not shutil.which("nginx"):
        print("SKIPPED: nginx is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="ballast-static-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        root = folder / "root"
        (root / "folder").mkdir(parents=True)
        (root / "file.txt").write_bytes(bytes(range(100)))
        (root / "a b.txt").write_text("blank")
        (root / "empty.txt").write_text("")
        (root / "large.txt").write_bytes(os.urandom(3_000_000))
        (root / "index.html").write_text("home")
        (root / "folder" / "x.txt").write_text("x")
        (root / "folder" / "index.html").write_text("index")
        modified = int(time.time()) - 100_000
        for path in root.rglob("*"):
            os.utime(path, (modified, modified))
        time.sleep(1.1)  # a tag is weak for a second after a change
        user = "root" if os.geteuid() == 0 else "nobody"
        ports = free_port(), free_port()
        (folder / "nginx.cfg").write_text(NGINX.format(listen=f"127.0.0.1:{ports[0]}", root=root, folder=folder, user=user))
        (folder / "ballast.yaml").write_text(BALLAST.format(listen=f"127.0.0.1:{ports[1]}", root=root, folder=folder))
        nginx = Server("nginx", ["nginx", "-p", folder, "-c", folder / "nginx.cfg", "-e", "stderr"], ports[0])
        ballast = Server("ballast", [binary, "up", folder / "ballast.yaml"], ports[1])
        try:
            nginx.wait_ready()
            ballast.wait_ready()
            count = compare(ballast, nginx, modified)
        finally:
            ballast.stop()
            nginx.stop()
    print(f"static_nginx: {count} requests answered the same")


sys.exit(main())

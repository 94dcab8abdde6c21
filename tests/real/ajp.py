"""AJP against what it is for: Debian's Tomcat behind Ballast, and the same Tomcat behind Apache's mod_proxy_ajp and mod_jk.

    ajp.py --ballast build/test/ballast

Everything is a process of this test in a temporary folder, on loopback, on ports the kernel chose. Ballast's configuration is
what `ballast import` makes of the workers.properties that mod_jk runs with.
"""

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kit import certificates  # noqa: E402
from kit.apache import Apache  # noqa: E402
from kit.peer import free_port  # noqa: E402
from kit.tomcat import Tomcat  # noqa: E402

SECONDS_MAX = 30

# Headers that the comparison leaves out.
LEFT_OUT = {
    "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-host",  # ours, as for any target
    "x-request-id", "traceparent",  # ours: the request's id in the access log
    "connection", "keep-alive", "transfer-encoding",  # Apache passes them on; RFC 9110 7.6.1 has an intermediary remove them
    "content-length",  # compared as getContentLength()
}
PORTS = ("url", "server_port", "local_port")  # each front has a port of its own: it is compared as PORT


class Ballast:
    def __init__(self, binary, folder, groups, group, *, targets=1, listener="protocol: http"):
        self.binary, self.folder, self.port, self.targets = binary, folder, free_port(), targets
        self.file = folder / "ballast.yaml"
        self.file.write_text(groups + f"""
listeners:
  web: {{ address: "127.0.0.1:{self.port}", {listener}, default: {{ forward: {group} }} }}
admin: {{ socket: {folder}/admin.sock }}
state_directory: {folder}/state
access_log: {{ path: {folder}/access.log }}
workers: 2
shutdown_timeout: 5s
""")

    def start(self):
        self.process = subprocess.Popen([self.binary, "up", str(self.file)], stdout=(self.folder / "ballast.out").open("w"),
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            if self.status().count(" healthy ") == self.targets:
                return
            time.sleep(0.1)
        raise SystemExit(f"ajp: the targets did not become healthy:\n{self.status()}\n{self.log()}")

    def status(self):
        return subprocess.run([self.binary, "status", "--socket", f"{self.folder}/admin.sock"], capture_output=True, text=True,
                              timeout=SECONDS_MAX).stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(SECONDS_MAX)
        if status != 0 or "Sanitizer" in self.log():
            raise SystemExit(f"ajp: ballast ended with {status}:\n{self.log()}")

    def log(self):
        return (self.folder / "ballast.out").read_text()


def ask(port, head, body=b"", *, pieces=None, keep=None):
    """One request as bytes; the response as (status, headers, body). `keep`: a connection to use, and to leave open."""
    connection = keep or socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX)
    try:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + body)
        for piece in pieces or []:
            time.sleep(0.01)
            connection.sendall(piece)
        reader = connection.makefile("rb")
        status = int(reader.readline().split(b" ")[1])
        headers = []
        while (line := reader.readline().rstrip(b"\r\n")):
            name, value = line.decode("latin-1").split(":", 1)
            headers.append((name.lower(), value.strip()))
        named = dict(headers)
        if head.startswith("HEAD ") or status in (204, 304):
            return status, headers, b""
        if named.get("transfer-encoding") == "chunked":
            answer = b""
            while (size := int(reader.readline(), 16)):
                answer += reader.read(size)
                reader.readline()
            reader.readline()
            return status, headers, answer
        if "content-length" in named:
            return status, headers, reader.read(int(named["content-length"]))
        return status, headers, reader.read()
    finally:
        if keep is None:
            connection.close()


def get(port, path, *lines):
    return ask(port, "\n".join([f"GET {path} HTTP/1.1", "Host: site.example:8443", *lines, "Connection: close", "", ""]))


def echo(port, path="/echo.jsp", *lines):
    status, headers, body = get(port, path, *lines)
    expect(status == 200, f"GET {path} gave {status}: {body[:500]}")
    return json.loads(body)


def chunked(data, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + size]), data[i:i + size]) for i in range(0, len(data), size)) + b"0\r\n\r\n"


def sum_of(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) % 1000000007
    return str(total)


def expect(holds, words):
    if not holds:
        raise SystemExit(f"ajp: {words}")


# --- what Ballast does with Tomcat ---

def bodies(port):
    data = bytes((i * 7919 >> 3) & 0xFF for i in range(300_000))
    for size in (0, 1, 8185, 8186, 8187, 16_000, 100_000, 300_000):
        sent = data[:size]
        for coding in ("length", "chunked", "slow"):
            head = f"POST /body.jsp?answer={size}{'&length=1' if size % 2 else ''} HTTP/1.1\nHost: a\nConnection: close\n"
            if coding == "chunked":
                answer = ask(port, head + "Transfer-Encoding: chunked\n\n", chunked(sent, 5000))
            elif coding == "slow":
                answer = ask(port, head + f"Content-Length: {size}\n\n", pieces=[sent[:size // 3], sent[size // 3:]])
            else:
                answer = ask(port, head + f"Content-Length: {size}\n\n", sent)
            status, headers, body = answer
            named = dict(headers)
            expect(status == 200 and named.get("x-seen") == str(size) and named.get("x-sum") == sum_of(sent),
                   f"a body of {size} bytes ({coding}) arrived as {named.get('x-seen')}: {status}")
            expect(body == (b"abcdefghijklmnopqrstuvwxyz" * (size // 26 + 1))[:size], f"an answer of {size} bytes came as {len(body)}")
    return "bodies of stated and unknown length, in one piece and slowly, both ways"


def early_answers(port):
    for length in (100, 100_000):
        head = f"POST /early.jsp HTTP/1.1\nHost: a\nContent-Length: {length}\n\n"
        status, _, body = ask(port, head)  # nothing of the body is ever sent
        expect((status, body) == (200, b"early"), f"an answer before a body of {length}: {status} {body}")
    for status in (204, 304, 404, 500):
        got, _, _ = get(port, f"/early.jsp?status={status}")
        expect(got == status, f"status {status} came as {got}")
    return "answers before the body has come, and without one"


def keeps_connections(ballast):
    with socket.create_connection(("127.0.0.1", ballast.port), timeout=SECONDS_MAX) as connection:
        for i in range(50):
            method = ("GET", "HEAD", "POST")[i % 3]
            head = f"{method} /early.jsp{'?status=304' if i % 5 == 4 else ''} HTTP/1.1\nHost: a\n"
            status, _, _ = ask(0, head + ("Content-Length: 3\n\n" if method == "POST" else "\n"), b"abc" if method == "POST" else b"",
                               keep=connection)
            expect(status in (200, 304), f"request {i} of a kept connection gave {status}")
    return "a client's connection serves 50 requests"


def refusals(port):
    status, _, body = get(port, "/echo.jsp", "X-Big: " + "y" * 9000)
    expect(status == 431, f"a head larger than the packet gave {status}")
    expect(b"larger than the server" in body, f"it is not said why: {body}")
    status, headers, _ = ask(port, "GET /echo.jsp HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n")
    expect(status == 200, f"a request to upgrade is answered without: {status}")
    # Tomcat 10.1.60 neither ends a committed answer that failed nor closes the connection: only the time without a byte tells.
    try:
        ask(port, "GET /body.jsp?answer=40000&flush=1&cut=1 HTTP/1.1\nHost: a\n\n")
        raise SystemExit("ajp: an answer that its container never ended passed for a whole one")
    except (ConnectionResetError, ValueError):
        pass
    return "what does not fit is refused, an upgrade is answered without, an answer never ended is cut"


def sessions(ballast, tomcats):
    port = ballast.port
    routes = [echo(port)["route"] for _ in range(30)]
    share = routes.count("tomcat1")  # 20, but each of the workers is somewhere in a turn of three
    expect(18 <= share <= 22, f"weights 2:1 gave {share} of 30 to the first")
    first = echo(port, "/echo.jsp?session=new")
    session = first["session"]
    expect(session.endswith("." + first["route"]), f"the session {session} does not name its route {first['route']}")
    for _ in range(6):
        again = echo(port, "/echo.jsp", f"Cookie: other=1; JSESSIONID={session}")
        expect(again["session"] == session, "a session by cookie left its target")
        again = echo(port, f"/echo.jsp;jsessionid={session}")
        expect(again["session"] == session and again["session_from_url"], "a session by path left its target")
    owner = next(t for t in tomcats if t.route == first["route"])
    owner.stop()
    for _ in range(6):
        after = echo(port, "/echo.jsp", f"Cookie: JSESSIONID={session}")
        expect(after["route"] != owner.route, "a lost target still answers")
    # A request that may go out once only reaches no dead target either: connecting fails first, or its ping does.
    status, _, _ = ask(port, f"POST /body.jsp HTTP/1.1\nHost: a\nCookie: JSESSIONID={session}\nContent-Length: 3\n\n", b"abc")
    expect(status == 200, f"a POST to a lost target gave {status}")
    deadline = time.monotonic() + SECONDS_MAX
    while " unhealthy " not in ballast.status():
        expect(time.monotonic() < deadline, f"CPING does not notice a dead Tomcat:\n{ballast.status()}")
        time.sleep(0.1)
    return "sessions stay, and fall over when their target is lost"


def wrong_secret(binary, folder, tomcat):
    folder.mkdir()
    ballast = Ballast(binary, folder, f"""target_groups:
  t: {{ protocol: ajp, ajp: {{ secret: wrong }}, targets: [ {{ address: "127.0.0.1:{tomcat.port}" }} ] }}
""", "t")
    ballast.start()
    try:
        status, _, _ = get(ballast.port, "/echo.jsp")
        expect(status == 403, f"a wrong secret gave {status}")
    finally:
        ballast.stop()
    return "a wrong secret is the container's 403"


# --- the same requests through all three ---

REQUESTS = {
    "query and headers": "GET /echo.jsp?a=1&b=%C3%BC&c HTTP/1.1\nHost: site.example\nUser-Agent: t/1\nAccept: */*\nX-One: 1\nX-One: 2\n"
                         "X-Empty:\nX-Latin: gr\xfc\xdf\nCookie: a=b; c=\"d\"\nReferer: http://x/\nAuthorization: Basic YTpi\n"
                         "Accept-Language: de\nAccept-Encoding: gzip\nPragma: no-cache\nConnection: close\n\n",
    "host with a port": "GET /echo.jsp HTTP/1.1\nHost: site.example:8443\nConnection: close\n\n",
    "host in capitals": "GET /echo.jsp HTTP/1.1\nHost: SITE.example\nConnection: close\n\n",
    "address as host": "GET /echo.jsp HTTP/1.1\nHost: [::1]:81\nConnection: close\n\n",
    "a query of nothing": "GET /echo.jsp? HTTP/1.1\nHost: a\nConnection: close\n\n",
    "escaped path": "GET /%65cho.jsp?x=%2F%00 HTTP/1.1\nHost: a\nConnection: close\n\n",
    "path parameter": "GET /echo.jsp;v=1?x HTTP/1.1\nHost: a\nConnection: close\n\n",
    "double slash": "GET //echo.jsp HTTP/1.1\nHost: a\nConnection: close\n\n",
    "absolute target": "GET http://other.example/echo.jsp?y HTTP/1.1\nHost: a\nConnection: close\n\n",
    "form": "POST /echo.jsp?x=y HTTP/1.1\nHost: a\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 3\n"
            "Connection: close\n\na=b",
    "chunked": "POST /echo.jsp HTTP/1.1\nHost: a\nContent-Type: text/plain\nTransfer-Encoding: chunked\nConnection: close\n\n"
               "3\nabc\n0\n\n",
    "length of nothing": "POST /echo.jsp HTTP/1.1\nHost: a\nContent-Length: 0\nConnection: close\n\n",
    "http/1.0": "GET /echo.jsp HTTP/1.0\nHost: a\n\n",
    "unknown session": "GET /echo.jsp HTTP/1.1\nHost: a\nCookie: JSESSIONID=ABC.gone\nConnection: close\n\n",
    "a method of its own": "PURGE /echo.jsp HTTP/1.1\nHost: a\nConnection: close\n\n",
    "escaped slash": "GET /a%2Fecho.jsp HTTP/1.1\nHost: a\nConnection: close\n\n",
    "not there": "GET /nothing?a HTTP/1.1\nHost: a\nConnection: close\n\n",
    "static file": "GET /hello.txt HTTP/1.1\nHost: a\nConnection: close\n\n",
}

BODYLESS = [name for name, text in REQUESTS.items()
            if "Content-Length" not in text and "Transfer-Encoding" not in text and text.startswith("GET /")
            and name not in ("escaped slash", "not there", "static file")] + ["absolute target"]
# The differences that stay, each with its reason: front, requests, what, its value there, its value behind Ballast.
JUSTIFIED = [
    ("mod_jk", BODYLESS, "content_length", 0, -1, "mod_jk states a length of 0 for a request that states none"),
    ("mod_jk", ["host with a port"], "local_port", "8443", "PORT", "mod_jk takes the port the client wrote for the one it reached"),
    ("mod_jk", ["address as host"], "local_port", "81", "PORT", "the same"),
    ("mod_proxy_ajp", ["double slash"], "uri", "/echo.jsp", "//echo.jsp", "httpd merges slashes; we send what the client sent"),
    ("mod_proxy_ajp", ["double slash"], "url", "http://a/echo.jsp", "http://a//echo.jsp", "the same"),
    ("mod_proxy_ajp", ["chunked"], "content_length", -1, 3, "a body that has come whole is sent with its length, as to any target"),
    ("mod_jk", ["chunked"], "content_length", -1, 3, "the same"),
]


def seen_by(port, request):
    """What the servlet saw, apart from what differs by the front's own port."""
    status, headers, body = ask(port, request)
    if status != 200 or not body.startswith(b"{"):
        return {"status": status, "type": dict(headers).get("content-type")}
    seen = json.loads(body)
    seen["status"] = status
    for key in PORTS:
        seen[key] = re.sub(rf"(?<!\d){port}(?!\d)", "PORT", str(seen[key]))
    seen["remote_port"] = "some" if int(seen["remote_port"]) > 0 else "none"
    joined = {}
    for name, value in seen.pop("headers"):
        if name not in LEFT_OUT:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return seen | {f"header {name}": value for name, value in joined.items()}


def differences(ballast, apache):
    excused = {(front, name, key): (theirs, ours) for front, names, key, theirs, ours, _ in JUSTIFIED for name in names}
    found = []
    for name, request in REQUESTS.items():
        ours = seen_by(ballast.port, request)
        for front, port in (("mod_proxy_ajp", apache.proxy_port), ("mod_jk", apache.jk_port)):
            theirs = seen_by(port, request)
            for key in sorted(ours.keys() | theirs.keys()):
                pair = (theirs.get(key), ours.get(key))
                if pair[0] != pair[1] and excused.pop((front, name, key), None) != pair:
                    found.append(f"{name}: {front}: {key}: {pair[0]!r}, with ballast {pair[1]!r}")
    found += [f"{name}: {front}: {key}: no longer differs" for front, name, key in excused]
    expect(not found, "the servlet sees another request:\n" + "\n".join(found))
    return f"{len(REQUESTS)} requests look alike through Ballast, mod_proxy_ajp and mod_jk, but for {len(JUSTIFIED)} known differences"


# --- clients with certificates ---

def over_tls(port, folder, show, request="GET /echo.jsp HTTP/1.1\nHost: site.example\nConnection: close\n\n"):
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # where all fronts agree on a cipher and have a session's id
    context.set_ciphers("ECDHE+AESGCM")
    if show:
        context.load_cert_chain(folder / "alice.crt", folder / "alice.key")
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX), server_hostname="site.example") as secure:
        status, _, body = ask(0, request, keep=secure)
    expect(status == 200, f"over TLS {request.splitlines()[0]} gave {status}: {body[:300]}")
    return json.loads(body)


def client_certificates(binary, folder, groups, apache):
    """What the servlet learns of a client's TLS, through Ballast and through Apache's two."""
    ballast = Ballast(binary, folder, groups, "single", listener=f"""protocol: https,
    certificates: {{ cert: {folder}/site.crt, key: {folder}/site.key }},
    auth: {{ basic: {{ file: {folder}/users }} }}, rules: [ {{ match: {{ path: "/echo.jsp" }}, auth: off, forward: single }} ],
    tls: {{ client_certificates: {{ mode: optional, ca: {folder}/ca.crt }} }}""")
    ballast.start()
    try:
        for show in (True, False):
            ours = over_tls(ballast.port, folder, show)
            expect(ours["secure"] and ours["scheme"] == "https", f"the request does not count as secure: {ours}")
            expect(("alice" in ours["certificate"] if show else ours["certificate"] is None), f"the certificate came as {ours['certificate']}")
            # Where tickets are used, OpenSSL's servers give a session no id.
            expect(re.fullmatch("([0-9a-f]{64})?", ours["ssl_session"] or ""), f"the session's id came as {ours['ssl_session']}")
            for front, port in (("mod_proxy_ajp", apache.proxy_tls_port), ("mod_jk", apache.jk_tls_port)):
                theirs = over_tls(port, folder, show)
                for key in ("certificate", "cipher", "key_size", "secure", "scheme", "ssl_protocol", "user"):
                    expect(ours[key] == theirs[key], f"{front}: {key}: {theirs[key]!r}, with ballast {ours[key]!r}")
        seen = over_tls(ballast.port, folder, True, "GET //echo.jsp HTTP/1.1\nHost: a\nAuthorization: Basic YW5uOnNlY3JldA==\n\n")
        expect(seen["user"] == "ann", f"who was let in came as {seen['user']}")
    finally:
        ballast.stop()
    return "the client's certificate, cipher, key size, session and user are the servlet's, as through mod_jk and mod_proxy_ajp"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ballast", required=True)
    binary = str(pathlib.Path(options.parse_args().ballast).resolve())
    if not Tomcat.is_installed() or not Apache.is_installed():
        print("SKIPPED: Tomcat 10 and Apache with mod_jk are not installed: tools/packages test")
        return
    with tempfile.TemporaryDirectory(prefix="ballast-ajp-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        asyncio.run(certificates.make_certificate(folder, "site", {"for": "site.example"}))
        asyncio.run(certificates.make_certificate(folder, "alice", {}))
        tomcats = [Tomcat(folder, f"tomcat{n}") for n in (1, 2)]
        for tomcat in tomcats:
            stack.callback(tomcat.stop)
            tomcat.start()
        workers = "worker.list=balancer,single\nworker.balancer.type=lb\nworker.balancer.balance_workers=tomcat1,tomcat2\n"
        workers += f"worker.single.type=ajp13\nworker.single.host=127.0.0.1\nworker.single.port={tomcats[0].port}\n"
        workers += f"worker.single.secret={tomcats[0].secret}\n"
        for tomcat, factor in zip(tomcats, (2, 1)):
            workers += f"worker.{tomcat.route}.host=127.0.0.1\nworker.{tomcat.route}.port={tomcat.port}\n"
            workers += f"worker.{tomcat.route}.secret={tomcat.secret}\nworker.{tomcat.route}.lbfactor={factor}\n"
        (folder / "workers.properties").write_text(workers)
        imported = subprocess.run([binary, "import", str(folder / "workers.properties")], capture_output=True, text=True,
                                  timeout=SECONDS_MAX)
        expect(imported.returncode == 0 and not imported.stderr, f"the import fails: {imported.stderr}")
        # Faster than the defaults, so that the test sees what comes of it.
        groups = imported.stdout.replace("    protocol: ajp\n", "    protocol: ajp\n    health_check: { interval: 300ms, timeout: 250ms }\n    timeouts: { idle: 2s }\n")
        (folder / "check").mkdir()
        (folder / "single").mkdir()
        apache = Apache(folder, workers=workers, worker="single",
                        proxy=f"ProxyPass / ajp://127.0.0.1:{tomcats[0].port}/ secret={tomcats[0].secret} nocanon\n  ProxyPreserveHost On")
        stack.callback(apache.stop)
        apache.start()
        for tomcat in tomcats:
            tomcat.wait_ready()
        single = Ballast(binary, folder / "single", groups, "single")
        single.start()
        print("ajp:", differences(single, apache))
        single.stop()
        (folder / "secure").mkdir()
        for name in ("ca.crt", "site.crt", "site.key", "alice.crt", "alice.key"):
            (folder / "secure" / name).write_bytes((folder / name).read_bytes())
        (folder / "secure/users").write_text("ann:$2y$05$ABCDEFGHIJKLMNOPQRSTUu6etqWyiSjMSF4tl3grqWcjDUkRhrNJe\n")
        print("ajp:", client_certificates(binary, folder / "secure", groups, apache))
        ballast = Ballast(binary, folder / "check", groups, "balancer", targets=2)
        ballast.start()
        print("ajp:", bodies(ballast.port))
        print("ajp:", early_answers(ballast.port))
        print("ajp:", keeps_connections(ballast))
        print("ajp:", refusals(ballast.port))
        print("ajp:", wrong_secret(binary, folder / "wrong", tomcats[0]))
        print("ajp:", sessions(ballast, tomcats))
        ballast.stop()


main()

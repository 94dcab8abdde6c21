"""What runs inside the machine of tests/real/kernel_tls.py: Ballast on a kernel that has TLS, clients and a target in
this process. One line a step: "ok NAME" or "FAILED NAME: why"; the last line is "all done"."""

import array
import contextlib
import ctypes
import functools
import hashlib
import http.server
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback

FOLDER = pathlib.Path("/data")
SECURE, PLAIN, LAYER4, ORIGIN = 8443, 8080, 8444, 9000
PATIENCE = 60.0

libssl = ctypes.CDLL("libssl.so.3")
libssl.SSL_CTX_set_ciphersuites.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
libssl.SSL_key_update.argtypes = [ctypes.c_void_p, ctypes.c_int]

TLS13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
TLS12 = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"]


class Wrong(Exception):
    pass


def check(good, why):
    if not good:
        raise Wrong(why)


@functools.cache
def pattern(size):
    """Bytes of which none are where others could be: each 8 say where they stand."""
    return array.array("Q", range((size + 7) // 8)).tobytes()[:size]


# --- a target ---------------------------------------------------------------------------------------------------------

class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(pattern(int(self.path.rsplit("/", 1)[1])))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(body if self.path.startswith("/relay/echo") else hashlib.sha256(body).hexdigest().encode())

    def log_message(self, *words):
        pass


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


# --- Ballast ----------------------------------------------------------------------------------------------------------

def configuration(kernel_tls):
    return f"""
kernel_tls: {kernel_tls}
workers: 1
state_directory: {FOLDER}/state
admin: {{ socket: {FOLDER}/admin.sock }}
listeners:
  secure:
    address: "127.0.0.1:{SECURE}"
    protocol: https
    certificates: [ {{ cert: {FOLDER}/site.crt, key: {FOLDER}/site.key }} ]
    rules:
      - match: {{ path: /files/* }}
        files: {{ root: {FOLDER}/files, strip_prefix: /files }}
      - match: {{ path: /relay/* }}
        forward: origin
    default: {{ fixed_response: {{ status: 200, body: small }} }}
  plain:
    address: "127.0.0.1:{PLAIN}"
    protocol: http
    default: {{ forward: secure }}
  layer4:
    address: "127.0.0.1:{LAYER4}"
    protocol: tls
    certificates: [ {{ cert: {FOLDER}/site.crt, key: {FOLDER}/site.key }} ]
    default: {{ forward: raw }}
target_groups:
  origin:
    protocol: http
    health_check: off
    targets: [ "127.0.0.1:{ORIGIN}" ]
  secure:
    protocol: https
    health_check: off
    tls: {{ verify: false }}
    targets: [ "127.0.0.1:{SECURE}" ]
  raw:
    protocol: tcp
    health_check: off
    targets: [ "127.0.0.1:{ORIGIN}" ]
"""


@contextlib.contextmanager
def ballast(kernel_tls="auto"):
    file = FOLDER / "ballast.yaml"
    file.write_text(configuration(kernel_tls))
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0"}
    process = subprocess.Popen(["/ballast", "up", str(file)], env=environment, stderr=subprocess.PIPE, text=True)
    lines = []

    def read():
        for line in process.stderr:
            lines.append(line)

    threading.Thread(target=read, daemon=True).start()
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", SECURE), 1).close()
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise Wrong("ballast does not start: " + "".join(lines))
            time.sleep(0.1)
        yield process
    except Exception:
        print("".join(lines), flush=True)
        raise
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Wrong("ballast does not end") from None
    # 0, and 1 where the target's connections were cut by its end.
    check(process.returncode == 0, f"ballast ended with {process.returncode}: " + "".join(lines))


def status():
    """What ballast says of itself."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(str(FOLDER / "admin.sock"))
    connection.sendall(b"GET /v1/status HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")
    answer = Reader(connection).response("GET")
    return json.loads(answer.body)["kernel_tls"]


def kernel_count():
    """Connections whose sending the kernel has had, as it counts them."""
    try:
        for line in pathlib.Path("/proc/net/tls_stat").read_text().splitlines():
            if line.startswith("TlsTxSw "):
                return int(line.split()[1])
    except FileNotFoundError:
        pass
    return 0


class KernelCount:
    """with KernelCount(2): so many connections are given to the kernel inside."""

    def __init__(self, wanted):
        self.wanted = wanted

    def __enter__(self):
        self.before = kernel_count()

    def __exit__(self, kind, *_):
        if kind is None:
            got = kernel_count() - self.before
            check(got == self.wanted, f"{got} connections were given to the kernel, wanted {self.wanted}")


# --- a client ---------------------------------------------------------------------------------------------------------

class Answer:
    def __init__(self, head, body):
        self.head, self.body = head, body
        self.status = int(head.split()[1])


class Reader:
    def __init__(self, connection):
        self.connection, self.held = connection, b""

    def more(self):
        got = self.connection.recv(1 << 16)
        check(got, f"the connection ended with {len(self.held)} bytes of an answer")
        self.held += got

    def response(self, method):
        while b"\r\n\r\n" not in self.held:
            self.more()
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        head = head.decode()
        size = 0 if method == "HEAD" else next(int(line.split(":")[1]) for line in head.split("\r\n")
                                                if line.lower().startswith("content-length:"))
        pieces, got = [self.held], len(self.held)
        while got < size:
            piece = self.connection.recv(1 << 16)
            check(piece, f"the connection ended after {got} of {size} bytes")
            pieces.append(piece)
            got += len(piece)
        self.held = b"".join(pieces)
        body, self.held = self.held[:size], self.held[size:]
        return Answer(head, body)


def tls_context(version=ssl.TLSVersion.TLSv1_3, cipher=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(FOLDER / "ca.crt")
    context.minimum_version = context.maximum_version = version
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # an end without close_notify is an error
    if cipher and version == ssl.TLSVersion.TLSv1_2:
        context.set_ciphers(cipher)
    elif cipher:
        # PyObject_HEAD, then the library's own.
        own = ctypes.c_void_p.from_address(id(context) + 16).value
        check(libssl.SSL_CTX_set_ciphersuites(own, cipher.encode()) == 1, f"no cipher {cipher}")
    return context


class Client:
    def __init__(self, context=None, port=SECURE, session=None, receive_bytes=None):
        plain = socket.socket()
        plain.settimeout(PATIENCE)
        if receive_bytes:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.connect(("127.0.0.1", port))
        self.tls = (context or tls_context()).wrap_socket(plain, server_hostname="site.test", session=session,
                                                         suppress_ragged_eofs=False)
        self.reader = Reader(self.tls)

    def ask(self, path, method="GET", body=b"", close=False):
        head = f"{method} {path} HTTP/1.1\r\nHost: site.test\r\n"
        if body:
            head += f"Content-Length: {len(body)}\r\n"
        if close:
            head += "Connection: close\r\n"
        self.tls.sendall(head.encode() + b"\r\n" + body)
        return self.reader.response(method)

    def ask_whole(self, path, size):
        answer = self.ask(path)
        check(answer.status == 200, f"{path} gave {answer.status}")
        check(answer.body == pattern(size), f"{path}: {len(answer.body)} bytes that are not those that were sent")

    def ask_small(self):
        answer = self.ask("/small")
        check(answer.status == 200 and answer.body == b"small", f"/small gave {answer.status} {answer.body!r}")

    def new_keys(self):
        """Asks the other side for the same (KeyUpdate, update_requested)."""
        own = ctypes.c_void_p.from_address(id(self.tls._sslobj) + 24).value
        check(libssl.SSL_key_update(own, 1) == 1, "the library does not change its key")

    def ended_in_order(self):
        check(self.reader.held == b"", "there are bytes behind the answer")
        try:
            return self.tls.recv(1) == b""
        except ssl.SSLError as error:
            raise Wrong(f"the end was not said: {error}") from None

    def close(self):
        self.tls.close()


# --- steps ------------------------------------------------------------------------------------------------------------

MIB = 1 << 20
LARGE, HUGE = 1 * MIB + 77, 10 * MIB
failed = 0


def step(name, run, *words):
    global failed
    began = time.monotonic()
    try:
        run(*words)
        print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
    except Exception as error:
        failed += 1
        print(f"FAILED {name}: {error!r}", flush=True)
        traceback.print_exc(file=sys.stdout)


def modules(allowed):
    pathlib.Path("/proc/sys/kernel/modprobe").write_text("/sbin/modprobe" if allowed else "/nonexistent")


def without_the_module():
    modules(False)
    with ballast():
        said = status()
        check(said["state"] == "unavailable" and "modprobe tls" in said["reason"], said)
        client = Client()
        client.ask_whole("/files/large", LARGE)
        client.ask_small()
        client.close()
    check(not pathlib.Path("/proc/net/tls_stat").exists(), "the module is there all the same")


def each_cipher(version, cipher):
    with KernelCount(1):
        client = Client(tls_context(version, cipher))
        check(client.tls.cipher()[0] == cipher, client.tls.cipher())
        client.ask_small()
        client.ask_whole("/files/large", LARGE)
        client.ask_small()
        client.ask_whole("/files/middle", 20_000)
        client.ask_whole("/files/large", LARGE)
        answer = client.ask("/small", close=True)
        check(answer.body == b"small", answer.body)
        check(client.ended_in_order(), "there is more")
        client.close()


def first_thing_asked(version, cipher):
    """Nothing was written between the handshake and the file."""
    with KernelCount(1):
        client = Client(tls_context(version, cipher))
        client.ask_whole("/files/large", LARGE)
        client.close()


def huge():
    with KernelCount(1):
        client = Client()
        answer = client.ask("/files/huge")
        told = hashlib.sha256((FOLDER / "files/huge").read_bytes()).hexdigest()
        check(hashlib.sha256(answer.body).hexdigest() == told, "other bytes came")
        client.close()


def small_requests():
    with KernelCount(0):
        client = Client()
        for _ in range(100):
            client.ask_small()
        client.ask_whole("/files/middle", 20_000)
        client.close()


def small_behind_large():
    with KernelCount(1):
        client = Client()
        client.ask_whole("/files/large", LARGE)
        for _ in range(100):
            client.ask_small()
        client.close()


def relayed():
    with KernelCount(1):
        client = Client()
        body = pattern(5 * MIB)
        answer = client.ask("/relay/echo", "POST", body)
        check(answer.body == body, f"{len(answer.body)} other bytes came back")
        client.ask_whole("/relay/5000000", 5_000_000)
        client.close()


def to_a_target():
    """Both sides are Ballast's: the upload's from the plain listener, the answer's from the secure one."""
    with KernelCount(1):
        plain = socket.create_connection(("127.0.0.1", PLAIN), PATIENCE)
        body = pattern(5 * MIB)
        plain.sendall(b"POST /relay/hash HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        answer = Reader(plain).response("POST")
        check(answer.body.decode() == hashlib.sha256(body).hexdigest(), "the target got other bytes")
        plain.close()


def layer_4():
    with KernelCount(1):
        client = Client(port=LAYER4)
        answer = client.ask("/relay/5000000", close=True)
        check(answer.body == pattern(5_000_000), "other bytes came")
        check(client.ended_in_order(), "there is more")
        client.close()


def resumed(version):
    context = tls_context(version)
    client = Client(context)
    client.ask_whole("/files/large", LARGE)
    session = client.tls.session
    client.close()
    with KernelCount(1):
        client = Client(context, session=session)
        check(client.tls.session_reused, "the session was not resumed")
        client.ask_whole("/files/large", LARGE)
        client.close()


def key_update_before():
    with KernelCount(1):
        client = Client()
        for _ in range(3):
            client.new_keys()
            client.ask_small()
        client.ask_whole("/files/large", LARGE)
        client.close()


def key_update_behind():
    with KernelCount(1):
        client = Client()
        client.ask_whole("/files/large", LARGE)
        client.new_keys()
        answer = client.ask("/files/large")
        check(answer.body == pattern(LARGE), "other bytes came")
        check("connection: close" in answer.head.lower(), answer.head)
        check(client.ended_in_order(), "there is more")
        client.close()


def alert():
    """A client that breaks a record is told so, by the kernel's hand."""
    client = Client()
    client.ask_whole("/files/large", LARGE)
    below = socket.socket(fileno=os.dup(client.tls.fileno()))
    below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    try:
        client.tls.recv(1)
        raise Wrong("it was not told")
    except ssl.SSLError as error:
        check("bad record mac" in str(error).lower(), error)
    below.close()
    client.close()


def slow_client(size):
    """The answer's end meets a full buffer, and the connection is closed behind it."""
    client = Client(receive_bytes=4096)
    client.tls.sendall(f"GET /relay/{size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    time.sleep(0.05)
    answer = client.reader.response("GET")
    check(answer.body == pattern(size), "other bytes came")
    check(client.ended_in_order(), "there is more")
    client.close()


def slow_clients():
    """At some of these sizes the last record is encrypted and does not fit into what TCP may hold."""
    limits = pathlib.Path("/proc/sys/net/ipv4/tcp_wmem")
    before = limits.read_text()
    limits.write_text("4096 65536 65536")
    try:
        for size in range(70_000, 230_000, 4_000):
            slow_client(size)
    finally:
        limits.write_text(before)


def refused_cipher():
    with KernelCount(0):
        client = Client(tls_context(cipher=TLS13[2]))
        client.ask_whole("/files/large", LARGE)
        client.ask_small()
        client.close()
    check(status()["refused"] == 1, status())


def turned_off():
    with ballast("off"):
        check(status()["state"] == "off", status())
        with KernelCount(0):
            client = Client()
            client.ask_whole("/files/large", LARGE)
            client.close()


def main():
    for directory in ("files", "state"):
        (FOLDER / directory).mkdir()
    (FOLDER / "files/large").write_bytes(pattern(LARGE))
    (FOLDER / "files/huge").write_bytes(pattern(HUGE))
    (FOLDER / "files/middle").write_bytes(pattern(20_000))
    origin = Origin(("127.0.0.1", ORIGIN), Target)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

    step("without the module", without_the_module)
    modules(True)
    subprocess.run(["/sbin/modprobe", "tls"], check=True)
    for needed in ("aes_generic", "gcm", "ctr", "ghash-generic", "aesni-intel"):
        subprocess.run(["/sbin/modprobe", needed], check=False, stderr=subprocess.DEVNULL)
    modules(False)

    def unlearned():
        with ballast():
            check(status()["state"] == "on", status())
            step("a cipher that the kernel does not have", refused_cipher)
            step(f"the other ciphers then: {TLS13[0]}", first_thing_asked, v13, TLS13[0])

    step("ballast beside half of the ciphers", unlearned)
    modules(True)

    def learned():
        with ballast():
            check(status()["state"] == "on", status())
            for version, ciphers in ((v13, TLS13), (v12, TLS12)):
                for cipher in ciphers:
                    step(f"{version.name} {cipher}", each_cipher, version, cipher)
                    step(f"{version.name} {cipher} at once", first_thing_asked, version, cipher)
            step("10 MiB", huge)
            step("small requests", small_requests)
            step("small requests behind a large one", small_behind_large)
            step("bodies that are relayed", relayed)
            step("an upload to a target", to_a_target)
            step("layer 4", layer_4)
            step("a session resumed, TLS 1.3", resumed, v13)
            step("a session resumed, TLS 1.2", resumed, v12)
            step("new keys before the kernel has it", key_update_before)
            step("new keys behind", key_update_behind)
            step("an alert", alert)
            step("slow clients", slow_clients)
            said = status()
            check(said["connections"] >= 20 and said["refused"] == 0, said)

    step("ballast", learned)
    step("kernel_tls: off", turned_off)
    print(f"all done, {failed} failed", flush=True)


main()

"""CORS as a browser sees it: Debian's Chromium, headless, fetches from a page of one listener across to others.

    cors_browser.py --ballast build/test/ballast

Everything is on loopback; the page reports what its script could read to the origin's own address.
"""

import argparse
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kit.peer import free_port  # noqa: E402

SECONDS_MAX = 60
CASES = [  # name, path, fetch's options, what the script sees
    ("allowed", "/open", {}, "200 hello"),
    ("refused", "/others", {}, "unreadable"),
    ("preflighted", "/open", {"method": "PUT", "headers": {"X-One": "1"}}, "200 hello"),
    ("method that is not allowed", "/open", {"method": "DELETE"}, "unreadable"),
    ("header that is not allowed", "/open", {"headers": {"X-Two": "1"}}, "unreadable"),
    ("preflighted, with a password", "/secret", {"headers": {"Authorization": "Basic YW5uOnNlY3JldA=="}}, "200 hello"),
    ("an error of ours", "/secret", {}, "401"),
    ("an error of ours without cors", "/bare", {}, "unreadable"),
    ("with credentials", "/open", {"credentials": "include"}, "200 hello"),
    ("credentials that are not allowed", "/public", {"credentials": "include"}, "unreadable"),
    ("public", "/public", {"method": "PATCH", "headers": {"X-Any": "1"}}, "200 hello"),
    ("the target's own word is replaced", "/lies", {}, "unreadable"),
]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    reports, seen, done = {}, [], threading.Event()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/report":
            Origin.reports.update(json.loads(body))
            Origin.done.set()
        Origin.seen.append((self.command, self.path))
        text = self.page.encode() if self.path == "/page" else b"hello"
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/page" else "text/plain")
        self.send_header("Content-Length", str(len(text)))
        if self.path == "/lies":
            self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *words):
        pass


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ballast", required=True)
    binary = options.parse_args().ballast
    browser = shutil.which("chromium")
    if browser is None:
        print("SKIPPED: chromium is not installed: tools/packages test")
        return
    page_port, api_port = free_port(), free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cases = [[name, f"http://127.0.0.1:{api_port}{path}", how] for name, path, how, _ in CASES]
    Origin.page = f"""<!doctype html><script>
(async () => {{
  const seen = {{}};
  for (const [name, url, how] of {json.dumps(cases)}) {{
    try {{
      const answer = await fetch(url, how);
      seen[name] = answer.status == 200 ? "200 " + await answer.text() : String(answer.status);
    }} catch {{ seen[name] = "unreadable"; }}
  }}
  await fetch("/report", {{method: "POST", body: JSON.stringify(seen)}});
}})();
</script>"""
    with tempfile.TemporaryDirectory(prefix="ballast-cors-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        (folder / "users").write_text("ann:$2y$05$ABCDEFGHIJKLMNOPQRSTUu6etqWyiSjMSF4tl3grqWcjDUkRhrNJe\n")
        (folder / "ballast.yaml").write_text(f"""
listeners:
  page: {{ address: "127.0.0.1:{page_port}", default: {{ forward: site }} }}
  api:
    address: "127.0.0.1:{api_port}"
    auth: {{ basic: {{ file: users }} }}
    cors: {{ origins: "http://127.0.0.1:{page_port}", methods: [GET, PUT], headers: [X-One, Authorization], credentials: true }}
    rules:
      - {{ match: {{ path: [/open, /lies-allowed] }}, auth: off, forward: site }}
      - {{ match: {{ path: [/others, /lies] }}, auth: off, cors: "https://elsewhere.test", forward: site }}
      - {{ match: {{ path: /public }}, auth: off, cors: {{ origins: "*", methods: "*", headers: "*" }}, forward: site }}
      - {{ match: {{ path: /bare }}, cors: off, forward: site }}
    default: {{ forward: site }}
target_groups: {{ site: {{ health_check: off, targets: ["127.0.0.1:{server.server_address[1]}"] }} }}
admin: {{ socket: {folder}/admin.sock }}
state_directory: {folder}/state
""")
        ballast = subprocess.Popen([binary, "up", str(folder / "ballast.yaml")], stderr=subprocess.PIPE, text=True)
        try:
            while "ballast: listener api" not in (line := ballast.stderr.readline()):
                if not line:
                    raise SystemExit("cors: ballast does not start")
            chromium = subprocess.Popen(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", f"--user-data-dir={folder}/profile",
                 "--remote-debugging-port=0", f"http://127.0.0.1:{page_port}/page"],
                stdout=(folder / "out").open("w"), stderr=subprocess.STDOUT, start_new_session=True)
            try:
                if not Origin.done.wait(SECONDS_MAX):
                    raise SystemExit(f"cors: the page did not report:\n{(folder / 'out').read_text()[-2000:]}")
            finally:
                os.killpg(chromium.pid, signal.SIGKILL)  # the browser and its children, a group of this test's own
                chromium.wait()
            wrong = [f"{case}: {Origin.reports.get(case)!r}, wanted {wanted!r}" for case, _, _, wanted in CASES
                     if Origin.reports.get(case) != wanted]
            asked = [path for method, path in Origin.seen if method in ("OPTIONS", "DELETE")]
            if wrong or asked:
                raise SystemExit("cors: the browser sees\n" + "\n".join(wrong) + f"\nand the target saw {asked}")
        finally:
            ballast.send_signal(signal.SIGTERM)
            ballast.wait(SECONDS_MAX)
    print(f"cors: {len(CASES)} fetches of a page across listeners end as they should in Chromium")


main()

#!/usr/bin/env python3
"""TLS with real peers: nginx as a target, curl and openssl s_client as clients.

    tests/real/tls_peers.py --ballast build/test/ballast
"""

import argparse
import asyncio
import grp
import os
import pathlib
import pwd
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import certificates  # noqa: E402
from kit.ballast import Ballast, complete_config, run  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.peer import free_port  # noqa: E402

START_SECONDS = 15.0


def nginx_config(folder: pathlib.Path, port: int) -> str:
    user = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"
    temporary = "\n".join(f"  {kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
user {user};
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
{temporary}
  keepalive_timeout 2s;
  keepalive_requests 4;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/inside.crt;
    ssl_certificate_key {folder}/inside.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;
    ssl_client_certificate {folder}/fleet.crt;
    ssl_verify_client optional;
    location /large {{ root {folder}; }}
    location / {{ return 200 "$ssl_protocol $ssl_server_name reused=$ssl_session_reused $ssl_client_s_dn\\n"; }}
  }}
}}
"""


async def check(binary: str, folder: pathlib.Path) -> None:
    await certificates.make_certificate(folder, "site", {"for": "example.test"})
    await certificates.make_certificate(folder, "inside", {"for": "app.internal", "kind": "rsa"})
    await certificates.make_authority(folder, "fleet")
    await certificates.make_certificate(folder, "ballast", {"by": "fleet", "subject": "ballast"})
    (folder / "large").write_bytes(bytes(range(256)) * 40_000)
    port = free_port()
    (folder / "nginx.conf").write_text(nginx_config(folder, port))
    nginx = await asyncio.create_subprocess_exec("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr")
    ballast = Ballast(binary, folder)
    try:
        async with asyncio.timeout(START_SECONDS):
            while not (folder / "nginx.pid").exists():
                await asyncio.sleep(0.05)
        config = folder / "ballast.yaml"
        config.write_text(complete_config(f"""
listeners:
  web:
    address: "127.0.0.1:0"
    protocol: https
    certificates: {{ cert: site.crt, key: site.key }}
    default: {{ forward: site }}
target_groups:
  site:
    protocol: https
    tls: {{ ca: ca.crt, server_name: app.internal, certificate: ballast.crt, key: ballast.key }}
    health_check: {{ interval: 300ms, timeout: 250ms }}
    targets: [ "127.0.0.1:{port}" ]
""", folder, admin_http=ballast.admin_http))
        await ballast.start(config)
        address = (await ballast.listeners())["web"]
        await peers_are_served(ballast, folder, address)
    finally:
        try:
            await ballast.stop()
        finally:
            if nginx.returncode is None:
                nginx.terminate()
            await nginx.wait()


async def peers_are_served(ballast: Ballast, folder: pathlib.Path, address: str) -> None:
    port = address.rpartition(":")[2]
    curl = ["curl", "-sS", "--max-time", "20", "--cacert", "ca.crt", "--resolve", f"example.test:{port}:127.0.0.1"]

    async def fetch(*words: str) -> str:
        done = await run(*curl, *words, folder=folder)
        if done.exit != 0:
            raise Failure(done.describe())
        return done.out

    # More requests than nginx lets one connection have: each new one resumes the session of the first.
    said = await fetch(*[f"https://example.test:{port}/{n}" for n in range(12)])
    lines = said.splitlines()
    wanted = "TLSv1.3 app.internal reused=r CN=ballast"
    if len(lines) != 12 or any("app.internal" not in line or "CN=ballast" not in line for line in lines) or wanted not in lines:
        raise Failure(f"nginx saw:\n{said}")
    for version in ("--tlsv1.2", "--tlsv1.3"):
        await fetch(version, "--tls-max", version[-3:], f"https://example.test:{port}/", "-o", "small")
        await fetch(version, "--tls-max", version[-3:], f"https://example.test:{port}/large", "-o", "got")
        if (folder / "got").read_bytes() != (folder / "large").read_bytes():
            raise Failure(f"10 MB came otherwise than they went, with {version}")
    for version in ("--http1.1", "--http2"):
        await fetch(version, f"https://example.test:{port}/large", "-o", "got")
        if (folder / "got").read_bytes() != (folder / "large").read_bytes():
            raise Failure(f"10 MB came otherwise than they went, with {version}")
    await fetch("--http1.0", f"https://example.test:{port}/")
    # An upload of some size, which nginx refuses to take for a static file: it is answered and the connection goes on.
    await fetch("-T", "large", f"https://example.test:{port}/upload")
    # nginx ends connections at rest after 2 s; one that was reused just then is not a lost request.
    for _ in range(8):
        await fetch(f"https://example.test:{port}/")
        await asyncio.sleep(0.28)

    done = await run("openssl", "s_client", "-connect", address, "-servername", "example.test", "-CAfile", "ca.crt",
                     "-verify_return_error", "-alpn", "h2,http/1.1", folder=folder)
    for words in ("Verify return code: 0 (ok)", "ALPN protocol: h2", "New, TLSv1.3"):
        if words not in done.out:
            raise Failure(f"s_client does not say {words!r}:\n{done.describe()}")
    site = (await ballast.status())["groups"][0]
    if site["healthy"] != 1 or site["errors"]:
        raise Failure(f"the group is not well: {site}")


def main() -> int:
    parser = argparse.ArgumentParser(description="TLS with real peers.")
    parser.add_argument("--ballast", required=True)
    binary = str(pathlib.Path(parser.parse_args().ballast).resolve())
    missing = [program for program in ("nginx", "curl", "openssl") if not shutil.which(program)]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="ballast-tls-") as folder:
        try:
            asyncio.run(check(binary, pathlib.Path(folder)))
        except Failure as failure:
            print(f"tls_peers: {failure}", file=sys.stderr)
            return 1
    print("tls_peers: nginx, curl and openssl are served")
    return 0


sys.exit(main())

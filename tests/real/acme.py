#!/usr/bin/env python3
"""Certificates from Debian's pebble, which is made to find what clients of ACME do wrong: both challenges, several names,
external accounts, refused nonces, restarts, renewal, an authority that is away, and one that finds nobody.

    tests/real/acme.py --ballast build/test/ballast [--only NAME]
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import certificates  # noqa: E402
from kit.ballast import Ballast, complete_config  # noqa: E402
from kit.dns import Answer, DnsServer  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.peer import free_port  # noqa: E402

START_SECONDS = 20.0
PATIENCE_SECONDS = 45.0
LOOK_SECONDS = 0.1
HMAC_KEY = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").decode().rstrip("=")


class Pebble:
    """The authority, with a certificate of its own by ca.crt, and the ports that it looks for challenges on."""

    def __init__(self, folder: pathlib.Path, dns: DnsServer, *, http: int, tls: int, lifetime: int = 0, nonces_refused: int = 0,
                 external: bool = False):
        self.folder, self.dns = folder, dns
        self.port = free_port()
        self.environment = os.environ | {
            "PEBBLE_WFE_NONCEREJECT": str(nonces_refused), "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"}
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}", "certificate": str(folder / "authority.crt"),
            "privateKey": str(folder / "authority.key"), "httpPort": http, "tlsPort": tls,
            "ocspResponderURL": "", "externalAccountBindingRequired": external}
        if lifetime:
            settings["certificateValidityPeriod"] = lifetime
        if external:
            settings["externalAccountMACKeys"] = {"kid-1": HMAC_KEY}
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def log(self) -> str:
        return (self.folder / "pebble.log").read_text(errors="replace")

    async def start(self) -> None:
        with open(self.folder / "pebble.log", "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "pebble", "-config", str(self.folder / "pebble.json"), "-strict", "-dnsserver", self.dns.address,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=self.environment)
        async with asyncio.timeout(START_SECONDS):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                if self._process.returncode is not None:
                    raise Failure(f"pebble ended with {self._process.returncode}:\n{self.log}")
                await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


class World:
    def __init__(self, binary: str, folder: pathlib.Path):
        self.folder = folder
        self.dns = DnsServer()
        self.http, self.tls = free_port(), free_port()
        self.ballast = Ballast(binary, folder)
        self.pebble: Pebble | None = None

    async def begin(self, **options) -> None:
        await certificates.make_certificate(self.folder, "authority", {"for": "127.0.0.1"})
        await self.dns.start()
        for name in ("one.example.test", "two.example.test", "three.example.test"):
            self.dns.names[name] = Answer(["127.0.0.1"])
        self.pebble = Pebble(self.folder, self.dns, http=self.http, tls=self.tls, **options)
        await self.pebble.start()

    def config(self, names: str, acme: str = "", more: str = "", certificate: str = "") -> pathlib.Path:
        path = self.folder / "ballast.yaml"
        path.write_text(complete_config(f"""
acme:
  accept_terms: true
  email: ops@example.test
  directory: "{self.pebble.directory}"
  ca: ca.crt
{acme}
listeners:
  plain:
    address: "127.0.0.1:{self.http}"
    protocol: http
    default: {{ redirect: {{ status: 301, to: "https://{{host}}{{path}}" }} }}
  secure:
    address: "127.0.0.1:{self.tls}"
    protocol: https
    certificates: [{certificate} {{ acme: [{names}] }}]
    default: {{ fixed_response: {{ status: 200, body: "hello" }} }}
{more}
""", self.folder, admin_http=self.ballast.admin_http))
        return path

    async def until(self, what: str, holds, patience: float = PATIENCE_SECONDS):
        """The first truthy answer of `holds`, a function or coroutine function."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    value = holds()
                    if asyncio.iscoroutine(value):
                        value = await value
                    if value:
                        return value
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise Failure(f"not within {patience:g} s: {what}\n--- ballast\n{self.ballast.stderr()[-4000:]}"
                          f"\n--- pebble\n{self.pebble.log[-3000:]}") from None

    async def said(self, kind: str) -> list[str]:
        done = await self.ballast.command("events", "--json")
        events = json.loads(done.out)
        return [each["text"] for each in (events["events"] if isinstance(events, dict) else events) if each["kind"] == kind]

    async def shown(self, name: str) -> dict | None:
        """The certificate that a client which asks for this name is shown; none where it is refused."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            async with asyncio.timeout(10):
                _, writer = await asyncio.open_connection("127.0.0.1", self.tls, ssl=context, server_hostname=name)
        except ssl.SSLError as error:
            if "UNRECOGNIZED_NAME" not in str(error).upper().replace(" ", "_"):
                raise Failure(f"another alert than unrecognized_name: {error}") from None
            return None
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        done = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-ext", "subjectAltName", "-serial", "-enddate",
                               "-text"], input=der, capture_output=True, timeout=10, check=True)
        text = done.stdout.decode()
        return {"serial": text.split("serial=")[1].split()[0], "text": text}

    async def shown_soon(self, name: str, but: str = "") -> dict:
        async def new():
            seen = await self.shown(name)
            return seen if seen and seen["serial"] != but and "ACME challenge" not in seen["text"] else None
        return await self.until(f"a certificate for {name}", new)

    def orders(self) -> int:
        return self.pebble.log.count("/order-plz")

    async def end(self) -> None:
        try:
            await self.ballast.stop()
        finally:
            if self.pebble:
                await self.pebble.stop()
            await self.dns.stop()


def require(truth, text: str) -> None:
    if not truth:
        raise Failure(text)


async def http_01_and_restart(world: World) -> None:
    """Several names by http-01, with refused nonces; a restart orders nothing; files are nobody else's."""
    await world.begin(nonces_refused=30)  # of some twenty requests
    config = world.config("one.example.test, two.example.test")
    await world.ballast.start(config)
    first = await world.shown_soon("two.example.test")
    require("DNS:one.example.test" in first["text"] and "DNS:two.example.test" in first["text"], first["text"])
    require("id-ecPublicKey" in first["text"], first["text"])
    for path in (world.folder / "state/acme").rglob("*"):
        if path.is_file():
            require(path.stat().st_mode & 0o777 == 0o600, f"{path} has mode {path.stat().st_mode:o}")
    status = await world.ballast.status()
    require(status["acme"][0]["state"] == "good" and status["acme"][0]["failures"] == 0, json.dumps(status["acme"]))
    # Tokens that are not pending go to the rules, as anything else.
    reader, writer = await asyncio.open_connection("127.0.0.1", world.http)
    writer.write(b"GET /.well-known/acme-challenge/abc HTTP/1.1\r\nHost: one.example.test\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    require(answer.startswith(b"HTTP/1.1 301 "), answer.decode())

    orders = world.orders()
    await world.ballast.stop()
    world.ballast = Ballast(world.ballast.binary, world.folder)
    await world.ballast.start(config)
    again = await world.shown("one.example.test")
    require(again and again["serial"] == first["serial"], "another certificate after the restart")
    status = await world.until("a decision", lambda: decided(world))
    require(world.orders() == orders, "the restart has ordered again")
    require(len(await world.said("acme.obtained")) == 0, "the restart has obtained again")


async def decided(world: World):
    status = await world.ballast.status()
    return status if status["acme"] and not status["acme"][0]["next"].startswith("1970") else None


async def tls_alpn_01(world: World) -> None:
    """By tls-alpn-01, with an RSA key, beside a certificate of files; the listener refuses the name until then."""
    await world.begin()
    await certificates.make_certificate(world.folder, "site", {"for": "files.example.test"})
    world.dns.names.pop("one.example.test")  # the first attempt fails
    config = world.config("one.example.test", "  challenge: tls-alpn-01\n  key: rsa-2048\n",
                          certificate="{ cert: site.crt, key: site.key },")
    await world.ballast.start(config)
    texts = await world.until("the failure", lambda: world.said("acme.failed"))
    require("one.example.test by tls-alpn-01: dns:" in texts[0] or "one.example.test" in texts[0], texts[0])
    require("there is none to show" in texts[0] and "tried again in" in texts[0], texts[0])
    require(await world.shown("one.example.test") is None, "a name whose certificate has not come was served")
    require((await world.shown("files.example.test"))["text"].count("files.example.test"), "the certificate of files is gone")
    status = await world.ballast.status()
    require(status["acme"][0]["state"] == "failing" and status["acme"][0]["problem"], json.dumps(status["acme"]))
    ends = next(each for each in status["listeners"] if each["name"] == "secure")["handshakes"]
    require(ends.get("unknown_name", 0) >= 1, f"not counted: {ends}")

    # The back-off outlasts a restart; an operator who has mended it takes the record away.
    attempts = world.orders()
    await world.ballast.stop()
    world.ballast = Ballast(world.ballast.binary, world.folder)
    await world.ballast.start(config)
    await world.until("a decision", lambda: decided(world))
    require(world.orders() == attempts, "the restart has forgotten the back-off")
    await world.ballast.stop()
    for record in (world.folder / "state/acme/certificates").glob("*.json"):
        record.unlink()
    world.dns.names["one.example.test"] = Answer(["127.0.0.1"])
    world.ballast = Ballast(world.ballast.binary, world.folder)
    await world.ballast.start(config)
    seen = await world.shown_soon("one.example.test")
    require("rsaEncryption" in seen["text"], seen["text"])


async def renewal(world: World) -> None:
    """A certificate of half a minute is renewed, and a connection from before does not notice; an authority that is away
    is an event, and what is there stays."""
    await world.begin(lifetime=30)
    await world.ballast.start(world.config("one.example.test"))
    first = await world.shown_soon("one.example.test")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", world.tls, ssl=context, server_hostname="one.example.test")
    second = await world.shown_soon("one.example.test", but=first["serial"])
    require(second["serial"] != first["serial"], "not renewed")
    writer.write(b"GET / HTTP/1.1\r\nHost: one.example.test\r\nConnection: close\r\n\r\n")
    require((await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 200 "), "the old connection has noticed")
    writer.close()
    await world.pebble.stop()
    texts = await world.until("the failure", lambda: world.said("acme.failed"))
    require("directory: GET https://127.0.0.1" in texts[0] and "tried again in a minute" in texts[0].replace("2 minutes", "a minute"),
            texts[0])
    require(await world.shown("one.example.test") is not None, "the old certificate is gone")
    status = await world.ballast.status()
    require(status["acme"][0]["failures"] == 1, json.dumps(status["acme"]))


async def external_account(world: World) -> None:
    """An authority with customers: refused without what it has given, served with it."""
    await world.begin(external=True)
    (world.folder / "hmac.key").write_text(HMAC_KEY + "\n")
    await world.ballast.start(world.config("one.example.test"))
    texts = await world.until("the failure", lambda: world.said("acme.failed"))
    require("external_account" in texts[0], texts[0])
    await world.ballast.stop()
    for record in (world.folder / "state/acme/certificates").glob("*.json"):
        record.unlink()
    world.ballast = Ballast(world.ballast.binary, world.folder)
    await world.ballast.start(world.config("one.example.test", "  external_account: { key_id: kid-1, hmac_key_file: hmac.key }\n"))
    await world.shown_soon("one.example.test")


async def by_apply(world: World) -> None:
    """A name that comes by apply is obtained at once, without touching what is there; the metrics tell."""
    await world.begin()
    await world.ballast.start(world.config("one.example.test"))
    first = await world.shown_soon("one.example.test")
    path = world.config("one.example.test", certificate="{ acme: [three.example.test] },")
    done = await world.ballast.command("apply", str(path))
    require(done.exit == 0, done.describe())
    await world.shown_soon("three.example.test")
    same = await world.shown("one.example.test")
    require(same["serial"] == first["serial"], "the other one was obtained anew")
    with urllib.request.urlopen(f"http://{world.ballast.admin_http}/metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    for line in ('ballast_acme_orders_total{name="three.example.test",end="obtained"} 1',
                 'ballast_acme_failures{name="one.example.test"} 0'):
        require(line in metrics, f"no {line} among\n" + "\n".join(x for x in metrics.splitlines() if "acme" in x))
    done = await world.ballast.command("status")
    require("three.example.test" in done.out and "good" in done.out, done.out)


SCENARIOS = [http_01_and_restart, tls_alpn_01, renewal, external_account, by_apply]


async def run_all(binary: str, only: str | None) -> None:
    for scenario in SCENARIOS:
        if only and scenario.__name__ != only:
            continue
        with tempfile.TemporaryDirectory(prefix="ballast-acme-") as name:
            world = World(binary, pathlib.Path(name))
            try:
                await scenario(world)
            except Failure as failure:
                raise Failure(f"{scenario.__name__}: {failure}\n--- stderr\n{world.ballast.stderr()[-3000:]}") from None
            finally:
                await world.end()
        print(f"acme: {scenario.__name__}: ok", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ballast", required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    if shutil.which("pebble") is None:
        print("SKIPPED: pebble is not installed (apt-get install pebble)")
        return 0
    try:
        asyncio.run(run_all(os.path.abspath(options.ballast), options.only))
    except Failure as failure:
        print(f"acme: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

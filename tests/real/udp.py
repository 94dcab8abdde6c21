#!/usr/bin/env python3
"""UDP with real peers: two dnsmasq behind a listener, asked by dig while one of them is killed; socat's echo; ten thousand
flows at once over two workers, each of which must keep its target and lose nothing; and datagrams at a rate, whatever comes back.

    tests/real/udp.py --ballast build/test/ballast [--flows 10000]
    tests/real/udp.py --ballast build/release/ballast --rate 20000 --seconds 10     only the last, beside the same without Ballast
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import pwd
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kit import text  # noqa: E402
from kit.ballast import Ballast, complete_config, run  # noqa: E402
from kit.datagrams import UdpOrigin, UdpScript  # noqa: E402
from kit.failure import Failure  # noqa: E402
from kit.observe import Metrics  # noqa: E402
from kit.client import Client  # noqa: E402
from kit.peer import free_port  # noqa: E402

SECONDS_MAX = 20
RATE_FLOWS = 64
RATER = str(pathlib.Path(__file__).resolve().parent / "udp_rate.py")
# "site.test", type A, class IN; flags: recursion desired. The answer begins with the same id.
QUESTION = "4242010000010000000000000473697465047465737400" + "00010001"
CONFIG = """
workers: 2
listeners:
  dns: {{ address: "127.0.0.1:0", protocol: udp, udp: {{ answers: 1 }}, default: {{ forward: resolvers }} }}
  echo: {{ address: "127.0.0.1:0", protocol: udp, default: {{ forward: socat }} }}
  many: {{ address: "127.0.0.1:0", protocol: udp, udp: {{ per_client: 16384 }}, default: {{ forward: two }} }}
target_groups:
  resolvers:
    protocol: udp
    health_check: {{ udp: {{ send_hex: "{question}", expect_hex: "4242" }}, interval: 1s, timeout: 500ms }}
    targets: ["{one}", "{two}"]
  socat: {{ protocol: udp, health_check: off, targets: ["{socat}"] }}
  two: {{ protocol: udp, health_check: off, targets: ["{a}", "{b}"] }}
"""
RATE_CONFIG = """
workers: 2
listeners: {{ door: {{ address: "127.0.0.1:0", protocol: udp, default: {{ forward: echo }} }} }}
target_groups: {{ echo: {{ protocol: udp, health_check: off, targets: ["{target}"] }} }}
"""
# Slow enough for a machine that compiles meanwhile: a loss then is a mistake and no lack of time.
TEST_RATE = 1000


async def start_dnsmasq(folder: pathlib.Path, name: str) -> tuple[asyncio.subprocess.Process, str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", f"--port={port}", "--listen-address=127.0.0.1",
        "--bind-interfaces", "--no-resolv", "--no-hosts", "--address=/site.test/10.1.2.3", f"--txt-record=who.test,{name}",
        f"--user={pwd.getpwuid(os.getuid()).pw_name}", f"--pid-file={folder}/{name}.pid")
    return process, f"127.0.0.1:{port}"


async def dig(address: str, *question: str, tries: int = 1) -> str:
    host, _, port = address.rpartition(":")
    done = await run("dig", f"@{host}", "-p", port, "+short", "+timeout=1", f"+tries={tries}", *question,
                     folder=pathlib.Path("/"))
    return done.out.strip().splitlines()[-1] if done.exit == 0 and done.out.strip() else f"exit {done.exit}: {done.out}{done.err}"


async def until_asked(address: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while (said := await dig(address, "site.test")) != "10.1.2.3":
        if time.monotonic() > deadline:
            raise Failure(f"{address} does not answer: {said}")


async def check_dns(address: str, victim: asyncio.subprocess.Process) -> None:
    answers = collections.Counter()
    for _ in range(20):
        answers[await dig(address, "who.test", "TXT")] += 1
    # Each worker takes turns of its own.
    if sum(answers.values()) != 20 or set(answers) != {'"one"', '"two"'} or min(answers.values()) < 8:
        raise Failure(f"of 20 questions in turn: {dict(answers)}")
    victim.kill()
    await victim.wait()
    # A client that asks again is answered, from the first question on.
    for _ in range(20):
        if (said := await dig(address, "who.test", "TXT", tries=3)) != '"one"':
            raise Failure(f"after one of two was killed: {said}")
    print("dnsmasq: 20 questions in turn, 20 after a kill: all answered")


async def check_socat(address: str) -> None:
    script = UdpScript(address, "")
    await script.run([text.Line(1, 'ask "hello" gets "hello"', [], ""), text.Line(2, 'ask 8000 bytes gets 8000 bytes', [], "")])
    await script.close()
    print("socat: echoed")


async def metrics(admin: str) -> Metrics:
    client = await Client.connect("metrics", admin)
    await client.request(text.transcript(["GET /metrics"]))
    page = Metrics((await client.response()).body.decode())
    await client.peer.close()
    return page


async def check_many(address: str, flows: int, admin: str) -> None:
    began = time.monotonic()
    script = UdpScript(address, "")
    await script.run([text.Line(1, f'{flows} ports ask "who"', [], "")])
    took = time.monotonic() - began
    page = await metrics(admin)
    await script.close()
    for wanted in (f'ballast_listener_open_connections{{listener="many"}} {flows}',
                   f'ballast_listener_received_datagrams_total{{listener="many"}} {2 * flows}',
                   f'ballast_listener_sent_datagrams_total{{listener="many"}} {2 * flows}',
                   'ballast_listener_udp_drops_total{listener="many"} absent'):
        if problem := page.check(wanted):
            raise Failure(problem)
    print(f"{flows} flows at once over 2 workers, {4 * flows} datagrams in {took:.1f} s: none lost, none moved")


async def rater(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, RATER, *map(str, arguments), stdout=asyncio.subprocess.PIPE)


async def ask_at_rate(address: str, rate: int, seconds: float) -> dict:
    asker = await rater("ask", address, RATE_FLOWS, rate, seconds)
    out, _ = await asyncio.wait_for(asker.communicate(), seconds * 3 + SECONDS_MAX)
    if asker.returncode:
        raise Failure(f"udp_rate.py ask: exit {asker.returncode}")
    return json.loads(out)


async def measure_rate(binary: str, folder: pathlib.Path, rate: int, seconds: float) -> int:
    """What is lost between a client and a target that echoes, by where; how many of them Ballast lost."""
    folder = folder / "rate"
    folder.mkdir()
    echo = await rater("echo")
    ballast = Ballast(binary, folder)
    try:
        target = f"127.0.0.1:{int(await asyncio.wait_for(echo.stdout.readline(), SECONDS_MAX))}"
        direct = await ask_at_rate(target, rate, seconds)
        path = folder / "rate.yaml"
        path.write_text(complete_config(RATE_CONFIG.format(target=target), folder, admin_http=ballast.admin_http))
        await ballast.start(path)
        through = await ask_at_rate((await ballast.listeners())["door"], rate, seconds)
        page = await metrics(ballast.admin_http)
    finally:
        await ballast.stop()
        echo.send_signal(signal.SIGTERM)
        received = json.loads((await echo.communicate())[0])["received"]
    def of(name: str) -> int:
        return int(sum(page.values(name)))

    came, went = of("ballast_listener_received_datagrams_total"), of("ballast_listener_sent_datagrams_total")
    onward, back = of("ballast_target_received_datagrams_total"), of("ballast_target_sent_datagrams_total")
    drops = {labels["why"]: int(value) for labels, value in page.labelled("ballast_listener_udp_drops_total") if value}
    at_target = received - direct["answered"] if direct["answered"] == direct["sent"] else None
    for name, each in (("without", direct), ("through Ballast", through)):
        lost = each["sent"] - each["answered"]
        print(f"{name}: {each['sent']} datagrams of 64 bytes over {RATE_FLOWS} flows at {each['rate']:.0f}/s: {lost} not answered "
              f"({lost / each['sent']:.4%}), {each['doubled']} doubled, p50 {each['p50_us']:.0f} us, p99 {each['p99_us']:.0f} us")
    print(f"at Ballast: {came} came, {onward} went on, {back} came back, {went} went to the client; drops: {drops or 'none'}; "
          f"the target read {'?' if at_target is None else at_target}")
    if came + drops.get("queue_full", 0) > through["sent"] or through["doubled"]:
        raise Failure("more came than was sent")
    return (through["sent"] - came) + (came - onward) + sum(value for why, value in drops.items() if why == "to_client")


async def check(binary: str, folder: pathlib.Path, flows: int) -> None:
    one, one_address = await start_dnsmasq(folder, "one")
    two, two_address = await start_dnsmasq(folder, "two")
    socat_address = f"127.0.0.1:{free_port()}"
    socat = await asyncio.create_subprocess_exec(
        "socat", f"UDP4-LISTEN:{socat_address.partition(':')[2]},bind=127.0.0.1,fork", "PIPE", start_new_session=True)
    origins = [UdpOrigin("a", ["name"]), UdpOrigin("b", ["name"])]
    for origin in origins:
        await origin.start()
    ballast = Ballast(binary, folder)
    try:
        await until_asked(one_address)
        await until_asked(two_address)
        path = folder / "ballast.yaml"
        path.write_text(complete_config(
            CONFIG.format(question=QUESTION, one=one_address, two=two_address, socat=socat_address, a=origins[0].address,
                          b=origins[1].address), folder, admin_http=ballast.admin_http))
        await ballast.start(path)
        listeners = await ballast.listeners()
        await check_socat(listeners["echo"])
        await check_many(listeners["many"], flows, ballast.admin_http)
        # Last: the port of the one that is killed is free then, and checks still ask it; a client might have got it.
        await check_dns(listeners["dns"], two)
    finally:
        await ballast.stop()
        os.killpg(socat.pid, signal.SIGTERM)  # with its children, one for each flow: they would hold our output open
        for process in (one, two, socat):
            if process.returncode is None:
                process.terminate()
            await process.wait()
        for origin in origins:
            await origin.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ballast", required=True)
    parser.add_argument("--flows", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    binary = str(pathlib.Path(arguments.ballast).resolve())
    for program in ("dnsmasq", "dig", "socat"):
        if not arguments.rate and not shutil.which(program):
            print(f"SKIPPED: {program} is not installed (tools/packages test)")
            return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            if not arguments.rate:
                asyncio.run(check(binary, pathlib.Path(folder), arguments.flows))
            lost = asyncio.run(measure_rate(binary, pathlib.Path(folder), arguments.rate or TEST_RATE, arguments.seconds))
            if lost and not arguments.rate:
                raise Failure(f"Ballast lost {lost} at {TEST_RATE}/s")
        except Failure as failure:
            print(failure, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

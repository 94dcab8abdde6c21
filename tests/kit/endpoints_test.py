"""Origin, Client and Gate against one another: each misbehaviour is what its name says."""

import asyncio
import unittest

from kit import origin as origins, text
from kit.client import Client, check_response
from kit.dns import Answer, DnsServer
from kit.failure import Failure
from kit.gate import Gate
from kit.observe import Metrics, Records, check_json

RULES = """
> /short
    < HTTP/1.1 200 OK
    < Content-Length: 10
    <
    < abc
    close
> /torn
    < HTTP/1.1 200 OK
    < Content-Length: 10
    <
    < abc
    reset
> once /twice
    < 503
> reused /stale
    reset
> /early
    before body
    < 403
    close
> /held
    hold
    < 200
> /huge
    send "HTTP/1.1 200 OK\\r\\n\\r\\n"
    send 30000000 bytes
"""


def origin() -> origins.Origin:
    flat = [text.Line(0, row.strip()) for row in RULES.splitlines() if row.strip()]
    return origins.Origin("a", origins.parse_rules(flat))


class EndpointsTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.origin = origin()
        await self.origin.start()
        self.addAsyncCleanup(self.origin.stop)

    async def ask(self, *rows: str, to: str = ""):
        client = await Client.connect("c", to or self.origin.address)
        self.addAsyncCleanup(client.peer.close)
        await client.request(text.transcript(list(rows)))
        return client, await client.response(patience=3)

    async def test_default_answers(self):
        _, got = await self.ask("GET /")
        check_response(text.transcript(["200", "X-Origin: a", "no X-Other", "", "a"]), got)
        _, got = await self.ask("POST /", "", "hello")
        self.assertEqual(got.body, b"hello")
        _, got = await self.ask("HEAD /")
        self.assertEqual((got.body, got.fields.get("content-length")), (b"", "1"))

    async def test_checks_can_fail(self):
        _, got = await self.ask("GET /")
        for rows in (["201"], ["200", "X-Origin: b"], ["200", "no X-Origin"], ["200", "", "other"], ["200", "cut"]):
            with self.subTest(rows=rows), self.assertRaises(Failure):
                check_response(text.transcript(rows), got)

    async def test_cut_bodies(self):
        for path, how in (("/short", "fin"), ("/torn", "reset")):
            _, got = await self.ask(f"GET {path}")
            self.assertEqual((got.body, got.complete, got.cut_by), (b"abc", False, how))

    async def test_rules_with_times_and_reuse(self):
        client, got = await self.ask("GET /twice")
        self.assertEqual(got.status, 503)
        await client.request(text.transcript(["GET /twice"]))
        self.assertEqual((await client.response()).status, 200)
        client, got = await self.ask("GET /stale")
        self.assertEqual(got.status, 200)
        await client.request(text.transcript(["GET /stale"]))
        self.assertEqual(await client.end(), "reset")
        self.assertEqual([each.target for each in self.origin.requests], ["/twice", "/twice", "/stale", "/stale"])

    async def test_each_go_lets_one_hold_pass(self):
        self.origin.going.release()  # before it comes
        _, got = await self.ask("GET /held")
        self.assertEqual(got.status, 200)
        clients = [await Client.connect("c", self.origin.address) for _ in range(2)]
        for client in clients:
            self.addAsyncCleanup(client.peer.close)
            await client.request(text.transcript(["GET /held"]))
        await clients[0].silence(0.05)
        self.origin.going.release()
        first = await clients[0].response()
        self.assertEqual(first.status, 200)
        await clients[1].silence(0.05)

    async def test_a_hold_ends_with_its_connection(self):
        client = await Client.connect("c", self.origin.address)
        await client.request(text.transcript(["GET /held"]))
        await client.silence(0.05)
        self.assertEqual(self.origin.open, 1)
        await client.peer.close()
        async with asyncio.timeout(3):
            while self.origin.open:
                await asyncio.sleep(0.01)
        self.origin.going.release()  # still there for the next one
        _, got = await self.ask("GET /held")
        self.assertEqual(got.status, 200)

    async def test_what_nobody_reads_is_unsent(self):
        client = await Client.connect("c", self.origin.address)
        client.peer.writer.transport.pause_reading()
        await client.request(text.transcript(["GET /huge"]))
        async with asyncio.timeout(3):
            while sum(peer.unsent() for peer in self.origin.server.peers) < 1_000_000:
                await asyncio.sleep(0.01)
        client.peer.reset()

    async def test_every_request_is_no_connection(self):
        other = origins.Origin("b", origins.parse_rules([text.Line(0, "> *"), text.Line(0, "reset")]))
        await other.start()
        self.addAsyncCleanup(other.stop)
        client = await Client.connect("c", other.address)
        await client.silence(0.05)
        await client.request(text.transcript(["GET /"]))
        self.assertEqual(await client.end(), "reset")
        self.assertEqual(len(other.requests), 1)

    async def test_answer_before_the_body(self):
        client = await Client.connect("c", self.origin.address)
        await client.send(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        self.assertEqual((await client.response()).status, 403)
        await client.peer.close()

    async def test_sloppy_requests_are_recorded_as_violations(self):
        client = await Client.connect("c", self.origin.address)
        await client.send(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client.end()
        self.assertEqual(len(self.origin.violations), 1)

    async def test_upgrade_echoes(self):
        client, got = await self.ask("GET /chat", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual((got.status, got.fields.get("sec-websocket-accept")), (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        await client.send(b"\x81\x00hello")
        await client.receive(b"\x81\x00hello")

    async def test_gate(self):
        for effects, wanted in ((["slice 1"], (10, True)), (["delay 20ms"], (10, True)), (["cut toward client after 60"], (None, False)),
                                (["reset toward client after 60"], (None, False))):
            gate = Gate("g", self.origin.address, effects)
            await gate.start()
            with self.subTest(effects=effects):
                _, got = await self.ask("POST /", "", "0123456789", to=gate.address)
                self.assertEqual(got.complete, wanted[1])
                if wanted[1]:
                    self.assertEqual(got.body, b"0123456789")
            await gate.stop()

    async def test_tcp_origin_half_close(self):
        tcp = origins.TcpOrigin("t", ["read all", 'send "bye"', "close"])
        await tcp.start()
        self.addAsyncCleanup(tcp.stop)
        client = await Client.connect("c", tcp.address)
        await client.send(b"hello")
        client.peer.half_close()
        await client.receive(b"bye")
        self.assertEqual(await client.end(), "fin")
        self.assertEqual((bytes(tcp.received), tcp.ends), (b"hello", ["fin"]))


class ObserveTest(unittest.TestCase):
    def test_metrics(self):
        metrics = Metrics('# HELP a b\na_total{x="1",y="2"} 3\na_total{x="2",y="2"} 4\n')
        self.assertEqual(metrics.check('a_total{x="1"} 3'), "")
        self.assertEqual(metrics.check("a_total >= 7"), "")
        self.assertIn("wanted 8", metrics.check("a_total 8"))
        self.assertIn("not there", metrics.check("b_total 1"))
        self.assertEqual(metrics.check("b_total absent"), "")

    def test_json_and_log(self):
        self.assertEqual(check_json('{"a":[{"n":"x","v":{"w":2}}]}', "a[n=x].v.w is 2"), "")
        self.assertIn("wanted 3", check_json('{"a":[1]}', "a[0] is 3"))
        self.assertEqual(check_json('{"a":[1]}', "a.# is 1"), "")
        records = Records('{"status":200,"path":"/x","reason":""}\n')
        self.assertEqual(records.check("status=200 path=/* reason="), "")
        self.assertIn("no record", records.check("status=404"))

    def test_dns(self):
        server = DnsServer()
        server.names["app.test"] = Answer(["127.0.0.2", "::1"], ttl=7)
        query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03app\x04test\x00\x00\x01\x00\x01"
        reply = server.reply(query)
        self.assertEqual(reply[:2] + reply[6:8], b"\x12\x34\x00\x01")
        self.assertEqual(reply[-10:], b"\x00\x00\x00\x07\x00\x04\x7f\x00\x00\x02")
        self.assertEqual(server.reply(query.replace(b"app", b"not"))[3] & 15, 3)


if __name__ == "__main__":
    unittest.main()

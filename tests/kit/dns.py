"""A tiny DNS server on loopback UDP whose answers a test changes while it runs."""

import asyncio
import dataclasses
import ipaddress
import struct

_TYPE_A, _TYPE_AAAA = 1, 28
_RESPONSE_FLAGS = 0x8580  # response, authoritative, recursion as asked and available
_NAME_ERROR, _SERVER_FAILURE = 3, 2


@dataclasses.dataclass
class Answer:
    addresses: list[str]
    ttl: int = 1
    fails: bool = False  # SERVFAIL, as a broken resolver gives
    silent: bool = False


class DnsServer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.names: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        if self._transport:
            self._transport.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def datagram_received(self, data: bytes, addr) -> None:
        if reply := self.reply(data):
            self._transport.sendto(reply, addr)

    def reply(self, query: bytes) -> bytes:
        if len(query) < 17:
            return b""
        name, at = _read_name(query, 12)
        kind = struct.unpack_from("!H", query, at)[0]
        question = query[12:at + 4]
        self.asked.append(name)
        answer = self.names.get(name)
        if answer and answer.silent:
            return b""
        code = _NAME_ERROR if answer is None else _SERVER_FAILURE if answer.fails else 0
        version = {_TYPE_A: 4, _TYPE_AAAA: 6}.get(kind)
        addresses = [ipaddress.ip_address(each) for each in (answer.addresses if answer and not answer.fails else [])]
        records = [struct.pack("!HHHIH", 0xC00C, kind, 1, answer.ttl, len(each.packed)) + each.packed
                   for each in addresses if each.version == version]
        return query[:2] + struct.pack("!HHHHH", _RESPONSE_FLAGS | code, 1, len(records), 0, 0) + question + b"".join(records)


def _read_name(query: bytes, at: int) -> tuple[str, int]:
    labels = []
    while size := query[at]:
        labels.append(query[at + 1:at + 1 + size].decode("ascii", "replace").lower())
        at += size + 1
    return ".".join(labels), at + 1

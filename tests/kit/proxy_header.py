"""PROXY headers as a target reads them: strictly, and written down as "v2 tcp4 127.0.0.2 > 127.0.0.1 sni=a.test crc"."""

import ipaddress
import struct

from kit.failure import Violation

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FAMILIES = {0x11: ("tcp4", 4), 0x12: ("udp4", 4), 0x21: ("tcp6", 16), 0x22: ("udp6", 16)}
_FIELDS = {0x01: "alpn", 0x02: "sni", 0x05: "id"}


async def read(source) -> str:
    start = await source.exactly(6)
    if start == b"PROXY ":
        return await _line(source)
    head = start + await source.exactly(10)
    return binary(head, await source.exactly(struct.unpack(">H", head[14:])[0]))


async def _line(source) -> str:
    line = b""
    while not line.endswith(b"\r\n"):
        line += await source.exactly(1)
        if len(line) > 101:
            raise Violation(f"a PROXY line is too long: {line!r}")
    words = line[:-2].decode().split(" ")
    if words == ["UNKNOWN"]:
        return "v1 unknown"
    kind, from_, to, from_port, to_port = words
    for address, port in (from_, from_port), (to, to_port):
        if ipaddress.ip_address(address).version != int(kind[3]) or not 0 < int(port) < 65536:
            raise Violation(f"a PROXY line is wrong: {line!r}")
    return f"v1 {kind.lower()} {from_} > {to}"


def binary(head: bytes, rest: bytes) -> str:
    if head[:12] != _SIGNATURE or head[12] not in (0x20, 0x21):
        raise Violation(f"not a PROXY header: {head!r}")
    if head[12] == 0x20:
        return "v2 local"
    name, size = _FAMILIES[head[13]]
    from_, to = (str(ipaddress.ip_address(rest[at:at + size])) for at in (0, size))
    said, fields = f"v2 {name} {from_} > {to}", rest[2 * size + 4:]
    at = 0
    while at < len(fields):
        kind, length = struct.unpack(">BH", fields[at:at + 3])
        value = fields[at + 3:at + 3 + length]
        if kind == 3:
            place = 2 * size + 4 + at + 3
            if struct.pack(">I", _crc32c(head + rest[:place] + b"\0\0\0\0" + rest[place + 4:])) != value:
                raise Violation("a PROXY header's checksum is wrong")
            said += " crc"
        elif kind in _FIELDS:
            said += f" {_FIELDS[kind]}={value.decode()}"
        at += 3 + length
    return said


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF

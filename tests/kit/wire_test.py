"""The strict reader refuses what it must, however the bytes are cut."""

import asyncio
import unittest

from kit import wire
from kit.failure import Violation


class Cut:
    """A reader that hands out a text in pieces of a fixed size."""

    def __init__(self, data: bytes, size: int):
        self._data, self._size = data, size

    async def read(self, _: int) -> bytes:
        piece, self._data = self._data[:self._size], self._data[self._size:]
        return piece


def response(data: bytes, size: int, method: str = "GET") -> wire.Message:
    return asyncio.run(wire.read_response(wire.Source(Cut(data, size)), to_method=method))


class WireTest(unittest.TestCase):
    def test_bodies(self):
        for data, body in (
                (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX", b"abc"),
                (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: 1\r\n\r\n", b"abc"),
                (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
                (b"HTTP/1.1 204 No Content\r\n\r\n", b"")):
            for size in (1, 2, 7, 1000):
                with self.subTest(data=data, size=size):
                    got = response(data, size)
                    self.assertEqual((got.body, got.complete), (body, True))

    def test_cut_bodies_are_seen(self):
        for data in (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
            got = response(data, 5)
            self.assertEqual((got.complete, got.cut_by), (False, "fin"))

    def test_violations(self):
        for data in (b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
                     b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                     b"HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\na", b"HTTP/2.0 200 OK\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"):
            for size in (1, 1000):
                with self.subTest(data=data, size=size), self.assertRaises(Violation):
                    response(data, size)


if __name__ == "__main__":
    unittest.main()

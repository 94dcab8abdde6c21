"""The language of the spec files: blocks, strings, patterns and messages."""

import unittest

from kit import text
from kit.failure import Failure


class TextTest(unittest.TestCase):
    def test_blocks(self):
        lines = text.parse("# c\na:\n    b\n      c: 1\n\n    d\ne\n")
        self.assertEqual([(each.number, each.text) for each in lines], [(2, "a:"), (7, "e")])
        self.assertEqual([each.text for each in lines[0].block], ["b", "d"])
        self.assertEqual(lines[0].raw, "b\n  c: 1\n\nd\n")

    def test_quoted(self):
        self.assertEqual(text.quoted(r'"a\r\n" * 2 "\x00\"b"'), b'a\r\na\r\n\x00"b')
        with self.assertRaises(Failure):
            text.quoted("bare")

    def test_patterns(self):
        for pattern, value, wanted in (("a*c", "abc", True), ("a*c", "abcd", False), ("a.c", "abc", False),
                                       ("~b+$", "abb", True), ("*", "", True), ("~^b", "ab", False)):
            with self.subTest(pattern=pattern, value=value):
                self.assertEqual(text.matches(pattern, value), wanted)

    def test_compose(self):
        plain = text.transcript(["POST /x", "A: 1", "", "body"])
        self.assertEqual(text.compose(plain, "POST /x HTTP/1.1", [("Host", "h")], framed=True),
                         b"POST /x HTTP/1.1\r\nA: 1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
        chunked = text.transcript(["200", "Transfer-Encoding: chunked", "trailer T: 1", "", "ab", "c"])
        self.assertEqual(text.compose(chunked, "HTTP/1.1 200 OK", [], framed=True),
                         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n")
        exact = text.transcript(["GET / HTTP/1.1", "A: 1"])
        self.assertEqual(text.compose(exact, exact.first, [("Host", "h")], framed=True), b"GET / HTTP/1.1\r\nA: 1\r\n")

    def test_pattern_bytes_have_the_size_and_tell_their_place(self):
        self.assertEqual(text.pattern_bytes(20), b"0000000\n0000001\n0000")


if __name__ == "__main__":
    unittest.main()

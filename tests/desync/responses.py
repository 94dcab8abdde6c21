"""The corpus of responses: what a target may send that is no response, or two; each with what must become of it."""

import dataclasses

from desync.world import take_answers
from kit.failure import Failure


@dataclasses.dataclass
class ResponseCase:
    name: str
    data: bytes
    body: bytes = b""       # as it is passed on, where it is
    defect: str = ""        # for which it is refused; "": it is passed on in all modes
    refused_in: tuple[str, ...] = ("monitor", "defensive", "strictest")
    method: str = "GET"
    status: int = 200

    def differences(self, mode: str, data: bytes) -> str:
        try:
            answers, left = take_answers(data)
        except Failure as failure:
            return str(failure)
        if left:
            # Passed on in part: cut in the middle is an end that a client can see.
            refused = self.defect and mode in self.refused_in
            return "" if refused and self.method == "GET" and not answers and b"transfer-encoding: chunked" in left.lower() else f"half an answer: {left[:80]!r}"
        if len(answers) != 1:
            return f"{len(answers)} answers"
        answer = answers[0]
        if self.defect and mode in self.refused_in:
            found = (answer.status, answer.reason, answer.defect)
            return "" if found == (502, "target_malformed", self.defect) else f"answered with {found}, wanted 502 ({self.defect})"
        if (answer.status, answer.body) != (self.status, self.body):
            return f"answered with {answer.status} {answer.body[:80]!r} ({answer.reason} {answer.defect}), wanted {self.status} {self.body!r}"
        names = set(answer.fields)
        if not names <= {"a", "content-length", "transfer-encoding", "connection", "x-b", "content-type", "x_y", "x-empty"}:
            return f"fields: {answer.fields}"
        return ""


def head(*lines: str | bytes, first: str | bytes = "HTTP/1.1 200 OK") -> bytes:
    raw = [each if isinstance(each, bytes) else each.encode() for each in (first, *lines)]
    return b"".join(line + b"\r\n" for line in raw) + b"\r\n"


def responses() -> list[ResponseCase]:
    cases: list[ResponseCase] = []
    odd, mended = ("strictest",), ("defensive", "strictest")

    def good(name, data, body=b"hello", **more):
        cases.append(ResponseCase(name, data, body, **more))

    def bad(name, defect, data, **more):
        cases.append(ResponseCase(name, data, more.pop("body", b"hello"), defect, **more))

    chunks = b"5\r\nhello\r\n0\r\n\r\n"
    second = head("Content-Length: 5") + b"other"
    good("with a length", head("Content-Length: 5") + b"hello")
    good("with chunks", head("Transfer-Encoding: chunked") + chunks)
    good("to its end", head() + b"hello")
    good("HTTP/1.0", head("Content-Length: 5", first="HTTP/1.0 200 OK") + b"hello")
    good("surplus bytes", head("Content-Length: 5") + b"hello" + second)
    good("an empty reason", head("Content-Length: 5", first="HTTP/1.1 200 ") + b"hello")
    for value in ("xchunked", "chunked, chunked", "chunked,", "identity", "gzip", "gzip, chunked", "chunked, gzip", "", "chunk", "chunked;q=1", '"chunked"', "'chunked'", "identity, chunked",
                  "chunked x", "x chunked", ",chunked", "deflate"):
        bad(f"coding {value!r}", "unknown_coding", head(f"Transfer-Encoding: {value}") + chunks)
    bad("a coding twice", "unknown_coding", head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + chunks)
    bad("a coding in HTTP/1.0", "coding_in_http10", head("Transfer-Encoding: chunked", first="HTTP/1.0 200 OK") + chunks)
    for lines in (("Content-Length: 5", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 5"), ("Content-Length: 0", "A: b", "Transfer-Encoding: chunked")):
        bad(f"both {lines}", "length_and_coding", head(*lines) + chunks)
    for value in ("+5", "-5", "-1", "5a", "0x5", "5.0", "5 5", "", "abc", "5;", '"5"', "9223372036854775808", "9" * 60, "5,6", "5, 6", "5,", ",5", "1e1", "5_0", "(5)"):
        bad(f"length {value!r}", "bad_content_length", head(f"Content-Length: {value}") + b"hello")
    for value in ("5,5", "5, 5"):
        bad(f"length {value!r}", "bad_content_length", head(f"Content-Length: {value}") + b"hello", refused_in=mended)
    for pair in (("5", "6"), ("0", "5"), ("5", "+5"), ("5", "05"), ("5", "")):
        bad(f"lengths {pair}", "repeated_content_length", head(*(f"Content-Length: {each}" for each in pair)) + b"hello")
    bad("the same length twice", "repeated_content_length", head("Content-Length: 5", "Content-Length: 5") + b"hello", refused_in=mended)
    bad("a padded length", "padded_number", head("Content-Length: 005") + b"hello", refused_in=odd)
    for first, defect in (("HTTP/1.2 200 OK", "bad_version"), ("HTTP/2 200 OK", "bad_version"), ("HTTP/2.0 200 OK", "bad_version"), ("http/1.1 200 OK", "bad_version"), ("ICY 200 OK", "bad_version"),
                          ("SHOUTcast", "bad_version"), ("HTTP/1.1  200 OK", "bad_status"), ("HTTP/1.1 20 OK", "bad_status"), ("HTTP/1.1 2000 OK", "bad_status"), ("HTTP/1.1 099 OK", "bad_status"),
                          ("HTTP/1.1 600 OK", "bad_status"), ("HTTP/1.1 999 OK", "bad_status"), ("HTTP/1.1 abc OK", "bad_status"), ("HTTP/1.1 2x0 OK", "bad_status"), ("HTTP/1.1", "bad_status"),
                          ("HTTP/1.1 ", "bad_status"), ("HTTP/1.1 +20 OK", "bad_status"), ("HTTP/1.1 200OK", "bad_status"), ("HTTP/1.1 200\tOK", "bad_status"), ("HTTP/1.10 200 OK", "bad_version"),
                          ("200 OK", "bad_version"), ("hello", "bad_version"), ("", "bad_version"), (" HTTP/1.1 200 OK", "bad_version"), ("HTTP/1.1 -00 OK", "bad_status"), ("HTTP/1.1\t200 OK", "bad_version")):
        bad(f"first line {first!r}", defect, head("Content-Length: 5", first=first) + b"hello")
    for raw, defect in ((b"HTTP/1.1 200 O\x00K", "nul_byte"), (b"HTTP/1.1 200 O\x01K", "bad_status"), (b"HTTP/1.1 200 O\rK", "bare_cr"), (b"HTTP/1.1 200 O\x7fK", "bad_status"), (b"\x00HTTP/1.1 200 OK", "nul_byte")):
        bad(f"first line {raw!r}", defect, head("Content-Length: 5", first=raw) + b"hello")
    bad("no space behind the status", "bare_status_line", head("Content-Length: 5", first="HTTP/1.1 200") + b"hello", refused_in=odd)
    bad("a reason beyond ASCII", "obs_text", head("Content-Length: 5", first="HTTP/1.1 200 d'accord é") + b"hello", refused_in=odd)
    lines = [b"HTTP/1.1 200 OK", b"A: b", b"Content-Length: 5", b""]
    for at in range(len(lines)):
        for end, defect in ((b"\n", "bare_lf"), (b"\r\r\n", "bare_cr"), (b"\n\r\n", "bare_lf"), (b"\rX\r\n", "bare_cr")):
            data = b"".join(line + (end if n == at else b"\r\n") for n, line in enumerate(lines)) + b"hello"
            bad(f"line {at} ends with {end!r}", defect, data)
    bad("all lines end with LF", "bare_lf", b"\n".join(lines) + b"\nhello", refused_in=mended)
    bad("all lines end with LF, to its end", "bare_lf", b"HTTP/1.1 200 OK\nA: b\n\nhello", refused_in=mended)
    bad("all lines end with LF, chunks", "bare_lf", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n" + chunks)
    bad("LF in a value", "bare_lf", head(b"A: b\nSet-Cookie: x=y", "Content-Length: 5") + b"hello")
    bad("CR in a value", "bare_cr", head(b"A: b\rSet-Cookie: x=y", "Content-Length: 5") + b"hello")
    bad("a second response in a value", "bare_lf", head(b"A: b\n\nHTTP/1.1 200 OK", "Content-Length: 5") + b"hello")
    for line, defect in ((b"A\x00: b", "nul_byte"), (b"A: b\x00", "nul_byte"), (b"A", "bad_header_name"), (b": b", "bad_header_name"), (b"A(: b", "bad_header_name"), (b"\xff: b", "bad_header_name"),
                         (b"A\x01: b", "bad_header_name"), (b"Content-Length : 5", "space_before_colon"), (b"Transfer-Encoding : chunked", "space_before_colon"), (b"A B: c", "space_before_colon"),
                         (b"Content-Length\t: 5", "space_before_colon"), (b"Content-Length: 5\r\n 0", "obs_fold"), (b" A: b", "obs_fold"), (b"Transfer-Encoding: chunked\r\n x", "obs_fold"),
                         (b"Connection: close\x01", "bad_header_value"), (b"A: b\r\n ", "obs_fold"), (b"Content-Length: 5\x0b", "bad_header_value")):
        more = () if b"Content-Length" in line or b"Transfer" in line else ("Content-Length: 5",)
        data = head(line, *more) if not line.startswith(b" ") else b"HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 5\r\n\r\n"
        bad(f"line {line!r}", defect, data + b"hello")
    for line, defect in ((b"A : b", "space_before_colon"), (b"A\t: b", "space_before_colon"), (b"A: b\r\n c", "obs_fold"), (b"A: b\r\n\tc", "obs_fold"), (b"A: b\x01c", "bad_header_value"), (b"A: \x7f", "bad_header_value"),
                         (b"A: b\r\n Set-Cookie: x=y", "obs_fold")):
        bad(f"line {line!r}", defect, head(line, "Content-Length: 5") + b"hello", refused_in=mended)
    bad("a byte beyond ASCII", "obs_text", head(b"A: \xe9", "Content-Length: 5") + b"hello", refused_in=odd)
    bad("an unusual name", "unusual_header_name", head("X_Y: z", "Content-Length: 5") + b"hello", refused_in=odd)
    for size in (b"5 ", b" 5", b"0x5", b"+5", b"-5", b"g", b"", b"5g", b"FFFFFFFFFFFFFFFF", b"8000000000000000", b"5,5", b"5.0", b"5\x01"):
        bad(f"chunk {size!r}", "bad_chunk_size", head("Transfer-Encoding: chunked") + size + b"\r\nhello\r\n0\r\n\r\n")
    for ending in (b"", b"\n", b"X\r\n", b"\r", b"XX\r\n"):
        bad(f"a chunk ends with {ending!r}", "bad_chunk_end", head("Transfer-Encoding: chunked") + b"5\r\nhello" + ending + b"0\r\n\r\n")
    for raw, defect in ((b"5\nhello\r\n0\r\n\r\n", "bare_lf"), (b"5\r\nhello\r\n0\n\r\n", "bare_lf"), (b"5\r\nhello\r\n0\r\n\n", "bare_lf"), (b"5\rhello\r\n0\r\n\r\n", "bare_cr"), (b"5\x00\r\nhello\r\n0\r\n\r\n", "nul_byte"),
                        (b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n", "forbidden_trailer"), (b"5\r\nhello\r\n0\r\nSet-Cookie: a=b\r\n\r\n", "forbidden_trailer"), (b"5\r\nhello\r\n0\r\nA : b\r\n\r\n", "space_before_colon"),
                        (b"5\r\nhello\r\n0\r\nA\r\n\r\n", "bad_trailer"), (b"5\r\nhello\r\n0\r\n A: b\r\n\r\n", "obs_fold"), (b"5\r\nhello\r\n0\r\nA: \x00\r\n\r\n", "nul_byte")):
        bad(f"chunks {raw!r}", defect, head("Transfer-Encoding: chunked") + raw)
    bad("a chunk's extension", "chunk_extension", head("Transfer-Encoding: chunked") + b"5;a=b\r\nhello\r\n0\r\n\r\n", refused_in=odd)
    bad("a padded chunk", "padded_number", head("Transfer-Encoding: chunked") + b"005\r\nhello\r\n0\r\n\r\n", refused_in=odd)
    bad("204 with a length", "bad_content_length", head("Content-Length: 5", first="HTTP/1.1 204 No Content") + b"hello")
    bad("204 with a length of 0", "length_of_nothing", head("Content-Length: 0", first="HTTP/1.1 204 No Content"), refused_in=odd, body=b"", status=204)
    bad("204 with a coding", "unknown_coding", head("Transfer-Encoding: chunked", first="HTTP/1.1 204 No Content") + chunks)
    bad("100 with a length", "bad_content_length", head("Content-Length: 5", first="HTTP/1.1 100 Continue") + b"hello" + second)
    bad("103 with a coding", "unknown_coding", head("Transfer-Encoding: chunked", first="HTTP/1.1 103 Early Hints") + chunks + second)
    bad("a switch nobody asked for", "", head("Connection: upgrade", "Upgrade: x", first="HTTP/1.1 101 Switching") + b"hello")
    cases.pop()  # no defect of its own: spec/odd_responses.spec
    bad("many fields", "too_many_headers", head(*["A: b"] * 300, "Content-Length: 5") + b"hello")
    bad("a large head", "head_too_large", head("A: " + "b" * 40000, "Content-Length: 5") + b"hello")
    bad("a response that is another protocol", "bad_version", b"-ERR unknown command\r\n\r\n")
    bad("TLS", "bad_version", b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n")
    bad("HTTP/2 frames", "nul_byte", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\r\n\r\n")
    return cases

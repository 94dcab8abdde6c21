"""The corpus of requests: every way we know to make two programs read one request differently, each with what must
become of it, by rule.

A case is what a client sends and, for each mode, the requests that an origin must get and the defect that then ends the
connection ("": none does). The classes and what a mode does to them are docs/guide/desync.md's table.
"""

import dataclasses

Accepted = list[tuple[str, str, bytes]]

ACCEPTABLE = {"leading_empty_line", "unexpected_body", "host_mismatch", "padded_number", "chunk_extension", "obs_text",
              "unusual_method", "unusual_target", "unusual_header_name", "bare_status_line", "length_of_nothing"}
AMBIGUOUS = {"bare_lf", "obs_fold", "bad_target", "bad_header_value", "missing_host", "repeated_host", "bad_host",
             "repeated_content_length", "forbidden_trailer"}
LIMIT = {"line_too_long", "header_too_large", "head_too_large", "too_many_headers"}
STATUS = {"line_too_long": 414, "header_too_large": 431, "head_too_large": 431, "too_many_headers": 431,
          "unknown_coding": 501, "bad_version": 505}


def class_of(defect: str) -> str:
    return ("acceptable" if defect in ACCEPTABLE else "ambiguous" if defect in AMBIGUOUS else
            "limit" if defect in LIMIT else "severe")


@dataclasses.dataclass
class Expected:
    accepted: Accepted
    defect: str = ""       # that the connection is refused for; "" not at all
    passed: str = ""       # the defect of the one that was accepted all the same


@dataclasses.dataclass
class Case:
    name: str
    data: bytes
    modes: dict[str, Expected]
    at: int | None = None  # the offending byte, where the rule that made it knows


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"


def head(method: str = "POST", target: str | bytes = "/x", *lines: str | bytes, version: str | bytes = "HTTP/1.1",
         host: str | bytes | None = "Host: h") -> bytes:
    raw = [each.encode() if isinstance(each, str) else each
           for each in (method, target, version, *([] if host is None else [host]), *lines)]
    return b" ".join(raw[:3]) + b"\r\n" + b"".join(line + b"\r\n" for line in raw[3:]) + b"\r\n"


class Corpus:
    def __init__(self):
        self.cases: list[Case] = []

    def add(self, name: str, data: bytes, *, at: int | None = None, **modes: Expected) -> None:
        self.cases.append(Case(f"{len(self.cases)} {name}", data, modes, at))

    def good(self, name: str, data: bytes, *accepted: tuple[str, str, bytes]) -> None:
        """Accepted in every mode."""
        each = Expected(list(accepted))
        self.add(name, data, monitor=each, defensive=each, strictest=each)

    def odd(self, name: str, defect: str, data: bytes, *accepted: tuple[str, str, bytes], before: Accepted = []) -> None:
        """Acceptable: refused by the strictest alone."""
        passes = Expected(list(accepted), passed=defect)
        self.add(name, data, monitor=passes, defensive=passes, strictest=Expected(list(before), defect))

    def bad(self, name: str, defect: str, data: bytes, *accepted: tuple[str, str, bytes], mended: Accepted | None = None,
            at: int | None = None) -> None:
        """Refused behind what was accepted; in the monitor mode passed where `mended` says as what."""
        refused = Expected(list(accepted), defect)
        monitor = refused if mended is None else Expected([*accepted, *mended], passed=defect)
        self.add(name, data, at=at, monitor=monitor, defensive=refused, strictest=refused)


X = ("POST", "/x", b"")
HELLO = ("POST", "/x", b"hello")
GET = ("GET", "/x", b"")


def _codings(c: Corpus) -> None:
    end = b"0\r\n\r\n"
    for value in ("chunked", "Chunked", "CHUNKED", "  chunked", "chunked  ", "\tchunked\t", "cHuNkEd"):
        c.good(f"coding {value!r}", head("POST", "/x", f"Transfer-Encoding:{value}") + b"5\r\nhello\r\n" + end, HELLO)
    for value in ("xchunked", "chunked, chunked", "chunked,", ",chunked", ", chunked", "chunked;", "chunked; q=1", "chunked;a=b",
                  '"chunked"', "'chunked'", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, identity",
                  "identity, chunked", "", " ", "chunk", "chunkedd", "x chunked", "chunked x", "chunked chunked", "chunked/1",
                  "(chunked)", "chunked()", "ch unked", "chunke", "deflate", "br", "compress, chunked", "trailers", "null", "0",
                  "chunked,,", "chunked , chunked", "x-chunked", "chunked=1", "=chunked", ": chunked", "%63hunked", "chunKed;",
                  "chunked\\", "c\\hunked", "<chunked>", "[chunked]", "chunked#"):
        c.bad(f"coding {value!r}", "unknown_coding", head("POST", "/x", f"Transfer-Encoding: {value}") + end + SMUGGLED)
    for raw in (b"\xc3\xa7hunked", b"chunked\xa0", b"\xa0chunked", b"chunked\xff", b"\xe2\x80\x8bchunked", b"\xef\xbb\xbfchunked"):
        c.bad(f"coding {raw!r}", "unknown_coding", head("POST", "/x", b"Transfer-Encoding: " + raw) + end + SMUGGLED)
    for raw, defect in ((b"chunked\x0b", "bad_header_value"), (b"\x0bchunked", "bad_header_value"), (b"chunked\x0c", "bad_header_value"),
                        (b"chun\x01ked", "bad_header_value"), (b"chunked\x7f", "bad_header_value"), (b"chunked\x00", "nul_byte"),
                        (b"\x00chunked", "nul_byte"), (b"chunked\r", "bare_cr"), (b"chunked\x00identity", "nul_byte"),
                        (b"chunked\r\r", "bare_cr"), (b"\rchunked", "bare_cr"), (b"\nchunked", "bare_lf")):
        c.bad(f"coding {raw!r}", defect, head("POST", "/x", b"Transfer-Encoding: " + raw) + end + SMUGGLED)
    for name, defect in (("Transfer-Encoding ", "space_before_colon"), ("Transfer-Encoding\t", "space_before_colon"),
                         ("Transfer Encoding", "space_before_colon"), ("Transfer-Encoding\x0b", "bad_header_name"),
                         ("\x0bTransfer-Encoding", "bad_header_name"), ("Transfer-Encoding\x00", "nul_byte"),
                         ("\x00Transfer-Encoding", "nul_byte"), (" Transfer-Encoding", "obs_fold"), ("\tTransfer-Encoding", "obs_fold"),
                         ("Transfer-Encoding\r", "bare_cr"), ("Transfer\x7f-Encoding", "bad_header_name"),
                         ("Transfer-Encoding\x1f", "bad_header_name"), ("\"Transfer-Encoding\"", "bad_header_name"),
                         ("Transfer-Encoding,", "bad_header_name"), ("Transfer-Encoding;", "bad_header_name"),
                         ("(Transfer-Encoding)", "bad_header_name"), ("Transfer\\-Encoding", "bad_header_name")):
        c.bad(f"coding's name {name!r}", defect, head("POST", "/x", f"{name}: chunked") + end + SMUGGLED)
    # Another name: no body is stated, and what follows is no request.
    for name in ("Transfer_Encoding", "Transfer.Encoding", "Transfer+Encoding", "Transfer~Encoding"):
        c.add(f"coding's name {name}", head("POST", "/x", f"{name}: chunked") + end + SMUGGLED,
              monitor=Expected([X], "bad_method", passed="unusual_header_name"), defensive=Expected([X], "bad_method"),
              strictest=Expected([], "unusual_header_name"))
    for name in ("TransferEncoding", "Transfer-Encoding-", "X-Transfer-Encoding", "Transfer-Encodings"):
        c.bad(f"coding's name {name}", "bad_method", head("POST", "/x", f"{name}: chunked") + end + SMUGGLED, X)
    for twice in (("chunked", "chunked"), ("chunked", "identity"), ("identity", "chunked"), ("chunked", ""), ("", "chunked"),
                  ("chunked", "x"), ("gzip", "chunked"), ("chunked", "CHUNKED")):
        c.bad(f"codings {twice}", "unknown_coding", head("POST", "/x", *(f"Transfer-Encoding: {each}" for each in twice)) + end + SMUGGLED)
    for value in ("chunked", "identity", "gzip, chunked"):
        for more in ((), ("Connection: keep-alive",), ("Content-Length: 5",)):
            c.bad(f"coding {value} {more} in HTTP/1.0", "coding_in_http10",
                  head("POST", "/x", f"Transfer-Encoding: {value}", *more, version="HTTP/1.0") + end + SMUGGLED)


def _lengths(c: Corpus) -> None:
    for value in ("5", " 5", "5 ", "\t5\t", "   5   "):
        c.good(f"length {value!r}", head("POST", "/x", f"Content-Length:{value}") + b"hello", HELLO)
    c.good("length 0", head("POST", "/x", "Content-Length: 0") + head("GET"), X, GET)
    for value in ("05", "005", "0" * 20 + "5", "00000000000000000005"):
        c.odd(f"length {value}", "padded_number", head("POST", "/x", f"Content-Length: {value}") + b"hello", HELLO)
    for value in ("+5", "-5", "-0", "+0", "5a", "a5", "0x5", "0X5", "0o5", "0b1", "5.0", "5.", ".5", "5 5", "5\t5", "", " ", "abc", "5;", "5;q=1",
                  '"5"', "'5'", "5e0", "5E0", "1e1", "1_0", "1'0", "5-", "5+0", "5/1", "(5)", "5()", "NaN", "inf", "null", "true",
                  "9223372036854775808", "18446744073709551615", "18446744073709551616", "18446744073709551621", "4294967301" * 3, "9" * 100,
                  "5,6", "5, 6", "6, 5", "5, 5, 6", "5,", ",5", ", 5", "5,,5", "5, ", "5;5", "5 ,6", "5,5a", "5, +5", "0,5", "5,0", "5, 05", "%35"):
        c.bad(f"length {value!r}", "bad_content_length", head("POST", "/x", f"Content-Length: {value}") + b"hello" + SMUGGLED)
    for value in ("5,5", "5, 5", "5,5,5", "5 , 5", "5,\t5"):
        c.bad(f"length {value!r}", "bad_content_length", head("POST", "/x", f"Content-Length: {value}") + b"hello", mended=[HELLO])
    for raw, defect in ((b"5\x0b", "bad_header_value"), (b"\x0b5", "bad_header_value"), (b"5\x00", "nul_byte"), (b"\x005", "nul_byte"),
                        (b"5\r", "bare_cr"), (b"\r5", "bare_cr"), (b"5\n5", "bare_lf"), (b"5\x7f", "bad_header_value"),
                        (b"5\xa0", "bad_content_length"), (b"\xef\xbc\x95", "bad_content_length"), (b"\xd9\xa5", "bad_content_length"),
                        (b"5\xc2\xa0", "bad_content_length"), (b"\xe2\x81\xb5", "bad_content_length")):
        c.bad(f"length {raw!r}", defect, head("POST", "/x", b"Content-Length: " + raw) + b"hello" + SMUGGLED)
    for name, defect in (("Content-Length ", "space_before_colon"), ("Content-Length\t", "space_before_colon"), (" Content-Length", "obs_fold"),
                         ("Content Length", "space_before_colon"), ("Content-Length\x00", "nul_byte"), ("Content-Length\x0b", "bad_header_name"),
                         ("\x01Content-Length", "bad_header_name"), ("Content-Length\r", "bare_cr"), ("Content/Length", "bad_header_name"),
                         ("Content-Length=", "bad_header_name"), ("Content-Length@", "bad_header_name")):
        c.bad(f"length's name {name!r}", defect, head("POST", "/x", f"{name}: 5") + b"hello" + SMUGGLED)
    for name in ("Content_Length", "Content.Length", "Content!Length"):
        c.add(f"length's name {name}", head("POST", "/x", f"{name}: {len(SMUGGLED)}") + SMUGGLED,
              monitor=Expected([X, ("GET", "/smuggled", b"")], passed="unusual_header_name"),
              defensive=Expected([X, ("GET", "/smuggled", b"")]), strictest=Expected([], "unusual_header_name"))
    for twice in (("5", "6"), ("6", "5"), ("5", "05"), ("5", "+5"), ("5", ""), ("0", "5"), ("5", "0"), ("5", "x"), ("5", "5,5"), ("5", "5 5")):
        c.bad(f"lengths {twice}", "repeated_content_length",
              head("POST", "/x", *(f"Content-Length: {each}" for each in twice)) + b"hello" + SMUGGLED)
    for more in ((), ("A: b",), ("A: b", "C: d")):
        c.bad(f"the same length twice {more}", "repeated_content_length",
              head("POST", "/x", "Content-Length: 5", *more, "content-length:5") + b"hello", mended=[HELLO])
    c.bad("the same length three times", "repeated_content_length", head("POST", "/x", *["Content-Length: 5"] * 3) + b"hello", mended=[HELLO])
    c.good("length in HTTP/1.0", head("POST", "/x", "Content-Length: 5", version="HTTP/1.0") + b"hello", HELLO)
    for order in (("Content-Length: {}", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: {}"),
                  ("Content-Length: {}", "A: b", "Transfer-Encoding: chunked"), ("transfer-encoding:chunked", "content-length:{}"),
                  ("Transfer-Encoding: Chunked", "X: y", "Content-Length: {}")):
        for length in (0, 5, 4, 6, 40):
            c.bad(f"length {length} beside a coding: {order}", "length_and_coding",
                  head("POST", "/x", *(line.format(length) for line in order)) + b"0\r\n\r\n" + SMUGGLED)
    # What is wrong with the first of the two is said first; either is refused.
    for first, defect in (("Transfer-Encoding: xchunked", "unknown_coding"), ("Transfer-Encoding : chunked", "space_before_colon"),
                          ("Transfer-Encoding: chunked, identity", "unknown_coding"), (" Transfer-Encoding: chunked", "obs_fold"),
                          ("Transfer-Encoding:\x0bchunked", "bad_header_value"), ("Transfer-Encoding\x00: chunked", "nul_byte")):
        c.bad(f"{first!r}, then a length", defect, head("POST", "/x", first, "Content-Length: 5") + b"0\r\n\r\n" + SMUGGLED)


def _line_ends(c: Corpus) -> None:
    lines = [b"POST /x HTTP/1.1", b"Host: h", b"A: b", b"Content-Length: 5", b""]
    for at in range(len(lines)):
        for end, name in ((b"\n", "LF"), (b"\r", "CR"), (b"\r\r\n", "CR CR LF"), (b"\n\r", "LF CR"), (b"\n\r\n", "LF CR LF"), (b"\n\n", "LF LF")):
            data = b"".join(line + (end if n == at else b"\r\n") for n, line in enumerate(lines)) + b"hello" + SMUGGLED
            if at == 0 and name in ("CR", "CR CR LF"):
                c.bad(f"line {at} ends with {name}", "bare_cr", data)
            elif name in ("CR", "CR CR LF"):
                c.bad(f"line {at} ends with {name}", "bare_cr", data)
            else:
                c.bad(f"line {at} ends with {name}", "bare_lf", data)
    for ending, name in ((b"\n", "LF"),):
        c.bad(f"all lines end with {name}", "bare_lf", ending.join([b"GET /x HTTP/1.1", b"Host: h", b"A: b", b"", b""]), mended=[GET])
        c.bad("the same with a length", "bare_lf", ending.join([b"POST /x HTTP/1.1", b"Host: h", b"Content-Length: 5", b"", b"hello"]),
              mended=[HELLO])
        c.bad("the same with a coding", "bare_lf",
              ending.join([b"POST /x HTTP/1.1", b"Host: h", b"Transfer-Encoding: chunked", b"", b"0", b"", b""]) + SMUGGLED)
        c.bad("the same, chunks with CR LF", "bare_lf",
              ending.join([b"POST /x HTTP/1.1", b"Host: h", b"Transfer-Encoding: chunked", b"", b""]) + b"0\r\n\r\n" + SMUGGLED)
        c.bad("the same, both", "bare_lf",
              ending.join([b"POST /x HTTP/1.1", b"Host: h", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"", b""]) + SMUGGLED)
    # What follows a request that was mended is never read.
    c.add("all lines end with LF, two requests", b"GET /x HTTP/1.1\nHost: h\n\nGET /smuggled HTTP/1.1\nHost: h\n\n",
          monitor=Expected([GET], passed="bare_lf"), defensive=Expected([], "bare_lf"), strictest=Expected([], "bare_lf"))
    for inner in (b"A: b\nTransfer-Encoding: chunked", b"A: b\nContent-Length: 5", b"A:\nContent-Length: 5", b"A: b\n\nGET /smuggled HTTP/1.1",
                  b"A: \nHost: other", b"\nA: b", b"A\n: b"):
        c.bad(f"LF within {inner!r}", "bare_lf", head("POST", "/x", inner) + b"0\r\n\r\n" + SMUGGLED)
    for inner in (b"A: b\rTransfer-Encoding: chunked", b"A: b\rContent-Length: 5", b"A:\rContent-Length: 5", b"A: b\r\rGET /smuggled HTTP/1.1",
                  b"A: \rHost: other", b"\rA: b", b"A\r: b", b"A: b\r"):
        c.bad(f"CR within {inner!r}", "bare_cr", head("POST", "/x", inner) + b"0\r\n\r\n" + SMUGGLED)
    c.odd("an empty line first", "leading_empty_line", b"\r\n" + head("GET"), GET)
    c.bad("an LF first", "bare_lf", b"\n" + head("GET"))
    c.bad("a CR first", "bare_cr", b"\r" + head("GET"))
    c.add("two empty lines first", b"\r\n\r\n" + head("GET"), monitor=Expected([], "bad_method"),
          defensive=Expected([], "bad_method"), strictest=Expected([], "leading_empty_line"))
    c.odd("an empty line between two", "leading_empty_line", head("GET") + b"\r\n" + head("GET"), GET, GET, before=[GET])


def _folds(c: Corpus) -> None:
    for blank in (b" ", b"\t", b"  ", b" \t "):
        c.bad(f"folded with {blank!r}", "obs_fold", head("GET", "/x", b"A: b\r\n" + blank + b"c"), mended=[GET])
        c.bad(f"folded with {blank!r}, a body", "obs_fold", head("POST", "/x", b"A: b\r\n" + blank + b"c", "Content-Length: 5") + b"hello" + SMUGGLED)
        c.bad(f"a line of {blank!r}", "obs_fold", head("GET", "/x", b"A: b\r\n" + blank))
        c.bad(f"a coding folded with {blank!r}", "unknown_coding", head("POST", "/x", b"Transfer-Encoding:\r\n" + blank + b"chunked") + SMUGGLED)
        c.bad(f"a coding folded behind with {blank!r}", "obs_fold", head("POST", "/x", b"Transfer-Encoding: chunked\r\n" + blank + b", identity") + SMUGGLED)
        c.bad(f"a length folded with {blank!r}", "bad_content_length", head("POST", "/x", b"Content-Length:\r\n" + blank + b"5") + SMUGGLED)
        c.bad(f"a length folded behind with {blank!r}", "obs_fold", head("POST", "/x", b"Content-Length: 5\r\n" + blank + b"0") + b"hello" + SMUGGLED)
        c.bad(f"Host folded with {blank!r}", "obs_fold", head("GET", "/x", host=b"Host: h\r\n" + blank + b"x"))
        c.bad(f"the first line folded with {blank!r}", "obs_fold", head("GET", "/x", host=blank + b"Host: h"))
        c.bad(f"a coding as a fold with {blank!r}", "obs_fold", head("GET", "/x", b"A: b\r\n" + blank + b"Transfer-Encoding: chunked"), mended=[GET])
        c.bad(f"Connection folded with {blank!r}", "obs_fold", head("GET", "/x", b"Connection: close\r\n" + blank + b", x"))
    c.add("folded, two requests", head("GET", "/x", b"A: b\r\n c") + SMUGGLED, monitor=Expected([GET], passed="obs_fold"),
          defensive=Expected([], "obs_fold"), strictest=Expected([], "obs_fold"))


def _bytes(c: Corpus) -> None:
    """Every byte in a name, a value and a target."""
    token = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    uri = b"-._~:/?[]@!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    special = {0: "nul_byte", 10: "bare_lf", 13: "bare_cr"}
    for value in range(256):
        byte = bytes([value])
        data = head("GET", "/x", b"A" + byte + b"B: 1")
        if value == ord(":"):
            c.good("name with ':'", data, GET)
        elif byte in token and byte.isalnum() or byte == b"-":
            c.good(f"name with {byte!r}", data, GET)
        elif byte in token:
            passes = Expected([GET], passed="unusual_header_name")
            c.add(f"name with {byte!r}", data, monitor=passes, defensive=Expected([GET]), strictest=Expected([], "unusual_header_name"))
        else:
            c.bad(f"name with {byte!r}", special.get(value) or ("space_before_colon" if byte in b" \t" else "bad_header_name"), data,
                  at=data.index(b"A" + byte + b"B") + 1)
    for value in range(256):
        byte = bytes([value])
        data = head("GET", "/x", b"A: b" + byte + b"c")
        if value >= 0x80:
            c.add(f"value with {byte!r}", data, monitor=Expected([GET], passed="obs_text"), defensive=Expected([GET]),
                  strictest=Expected([], "obs_text"))
        elif value in special:
            c.bad(f"value with {byte!r}", special[value], data)
        elif value < 0x20 and value != 9 or value == 0x7f:
            c.bad(f"value with {byte!r}", "bad_header_value", data, mended=[GET], at=data.index(b"b" + byte + b"c") + 1)
            c.bad(f"value with {byte!r}, a body", "bad_header_value", head("POST", "/x", b"A: b" + byte, "Content-Length: 5") + b"hello" + SMUGGLED)
        else:
            c.good(f"value with {byte!r}", data, GET)
    for value in range(256):
        byte = bytes([value])
        data = head("GET", b"/a" + byte + b"b")
        target = "/a" + byte.decode("latin-1") + "b"
        if byte in uri:
            c.good(f"target with {byte!r}", data, ("GET", target, b""))
        elif value >= 0x80:
            c.bad(f"target with {byte!r}", "bad_target", data, mended=[("GET", f"/a%{value:02X}b", b"")])
        elif value in special:
            c.bad(f"target with {byte!r}", special[value], data)
        elif value <= 0x20 or value == 0x7f or byte == b"#":
            c.bad(f"target with {byte!r}", "bad_target", data)
        else:
            passes = Expected([("GET", target, b"")], passed="unusual_target")
            c.add(f"target with {byte!r}", data, monitor=passes, defensive=Expected([("GET", target, b"")]),
                  strictest=Expected([], "unusual_target"))
    for name in (b": v", b"A", b"=b", b"A B", b"\"A\": b", b":", b"HTTP/1.1 200 OK"):
        defect = "space_before_colon" if b" " in name and not name.startswith((b":", b'"')) else "bad_header_name"
        c.bad(f"a line {name!r}", "bad_header_name" if name in (b"A", b"=b", b'"A": b', b"HTTP/1.1 200 OK") else defect, head("GET", "/x", name))


def _first_lines(c: Corpus) -> None:
    for version, defect in (("HTTP/1.2", "bad_version"), ("HTTP/2.0", "bad_version"), ("HTTP/0.9", "bad_version"), ("HTTP/1.10", "bad_version"),
                            ("HTTP/01.1", "bad_version"), ("HTTP/1,1", "bad_version"), ("HTTP/1.1 ", "bad_version"), ("HTTP/1.", "bad_version"),
                            ("HTTP/1.1x", "bad_version"), ("HTTP/9.9", "bad_version"), ("HTTP/1.-1", "bad_version"), ("HTTP/11", "bad_version"),
                            ("HTTP/1.1\t", "bad_version"), ("HTTP/1.1;", "bad_version"), ("HTTP/", "bad_version"), ("HTTP/1.1 HTTP/1.1", "bad_version"),
                            ("http/1.1", "bad_target"), ("XTTP/1.1", "bad_target"), (" HTTP/1.1", "bad_target"), ("HTTP /1.1", "bad_target"),
                            ("HTTPS/1.1", "bad_target"), ("", "bad_target"), ("b HTTP/1.1", "bad_target"), ("Http/1.1", "bad_target"),
                            ("HTTP\\1.1", "bad_target"), ("SPDY/3", "bad_target"), ("ICY", "bad_target")):
        c.bad(f"version {version!r}", defect, head("GET", "/x", version=version))
    c.bad("no version", "bad_version", b"GET /x\r\n\r\n" + SMUGGLED)
    for method, defect in (("G@T", "bad_method"), ("", "bad_method"), ("G\tT", "bad_method"), ("GET\x00", "nul_byte"), ("\x00GET", "nul_byte"),
                           ("G:T", "bad_method"), ("(GET)", "bad_method"), ("GET\x0b", "bad_method"), ("G\x7fT", "bad_method"), ("GÉT", "bad_method"),
                           ("A" * 33, "bad_method"), (" GET", "bad_method"), ("\tGET", "bad_method"), ("GET/", "bad_method"), ("\"GET\"", "bad_method")):
        c.bad(f"method {method!r}", defect, head(method))
    for method in ("get", "Get", "gET", "G!T", "G.T", "x", "po'st", "post"):
        passes = Expected([(method, "/x", b"")], passed="unusual_method")
        c.add(f"method {method}", head(method, "/x", "Content-Length: 0"), monitor=passes, defensive=Expected([(method, "/x", b"")]),
              strictest=Expected([], "unusual_method"))
    for method in ("PUT", "PATCH", "OPTIONS", "PROPFIND", "M-SEARCH", "VERSION-CONTROL", "X", "A" * 32):
        c.good(f"method {method}", head(method), (method, "/x", b""))
    for target, as_sent in (("http://h/x", "/x"), ("HTTP://h/x", "/x"), ("https://h/x?y", "/x?y"), ("http://h", "/"), ("http://h?q", "/?q"), ("http://H/x", "/x")):
        c.good(f"target {target}", head("GET", target), ("GET", as_sent, b""))
    for target in ("http://other/x", "http://h:80/x", "http://other:81/x", "http://[::1]/x"):
        c.odd(f"target {target} beside Host: h", "host_mismatch", head("GET", target), ("GET", "/x", b""))
    for target in ("http://u@h/", "http://u:p@h/", "ftp://h/", "http:/x", "http:x", "http:///x", "http://", "//[", "x", "x/y", "?x", "h", "h:80", "*", "http://h:x/", "http://h:99999/",
                   "http://h\\x/", "http://h#/", "/#", "/x#y", "file:///etc/passwd", "javascript:x", "http://[::1/", "http://[g]/", "http://h%/", "http://h%zz/", "unix:/x", "\\x", "..", "../x"):
        if target == "//[":
            continue  # a path of that form is one
        c.bad(f"target {target!r}", "bad_target", head("GET", target))
    for target in ("/%", "/%0", "/%zz", "/%0g", "/%00", "/%0a", "/%0D%0ASet-Cookie:x", "/a%7f", "/%%", "/a\\b", "/<x>", "/{x}", "/x|y", "/x^y", "/`", '/"'):
        passes = Expected([("GET", target, b"")], passed="unusual_target")
        c.add(f"target {target}", head("GET", target), monitor=passes, defensive=Expected([("GET", target, b"")]), strictest=Expected([], "unusual_target"))
    for target in ("/%41", "//x", "/./../x", "/a;b=c", "/?", "/??", "/?a=b&c=[1]", "/%C3%A9", "/" + "a" * 4000):
        c.good(f"target {target[:40]}", head("GET", target), ("GET", target, b""))
    c.bad("a long first line", "line_too_long", head("GET", "/" + "a" * 17000))
    c.bad("a long field", "header_too_large", head("GET", "/x", "A: " + "b" * 17000))
    c.bad("many fields", "too_many_headers", head("GET", "/x", *["A: b"] * 101))
    c.bad("a large head", "head_too_large", head("GET", "/x", *["A: " + "b" * 15000] * 5))


def _hosts(c: Corpus) -> None:
    c.bad("no Host", "missing_host", head("GET", host=None))
    c.bad("no Host, an absolute target", "missing_host", head("GET", "http://h/x", host=None))
    c.good("no Host in HTTP/1.0", head("GET", host=None, version="HTTP/1.0"), GET)
    for host in ("", " ", "a b", "a/b", "a@b", "u:p@h", "a:b", "a:b:c", "a:99999", "a:-1", "a:+80", "a:8 0", "[::1", "::1", "[::1]x", "[g]", "a#", "a?b", "a\\b", "<a>",
                 "a%", "a%zz", "a;b c", "http://h", "/", "h/..", "\"h\"", "a|b", "a^b", "a`b", "{a}"):
        c.bad(f"Host {host!r}", "bad_host", head("GET", host=f"Host: {host}"))
    for raw in (b"\xff", b"h\xc3\xa9", b"h\xa0"):
        c.bad(f"Host {raw!r}", "bad_host", head("GET", host=b"Host: " + raw))
    for raw, defect in ((b"h\x00", "nul_byte"), (b"h\x01", "bad_header_value"), (b"h\rX", "bare_cr"), (b"h\nX: y", "bare_lf"), (b"h\x7f", "bad_header_value")):
        c.bad(f"Host {raw!r}", defect, head("GET", host=b"Host: " + raw))
    for second in ("Host: other", "host: H2", "HOST:", "Host: h:80", "Host: h, h"):
        c.bad(f"a second {second}", "repeated_host", head("GET", "/x", second))
    for second in ("Host: h", "host:h", "HOST:  H  "):
        c.bad(f"a second {second}", "repeated_host", head("GET", "/x", second), mended=[GET])
    for name, defect in (("Host ", "space_before_colon"), (" Host", "obs_fold"), ("Host\x00", "nul_byte"), ("H\x01st", "bad_header_name")):
        c.bad(f"Host's name {name!r}", defect, head("GET", host=f"{name}: h"))
    for host in ("a,b", "h:80", "h:", "127.0.0.1", "[::1]", "[::1]:80", "a-b.c_d", "H", "a%41", "xn--a"):
        c.good(f"Host {host}", head("GET", host=f"Host: {host}"), GET)


def _chunks(c: Corpus) -> None:
    start = head("POST", "/x", "Transfer-Encoding: chunked")
    end = b"0\r\n\r\n"
    c.good("chunks", start + b"1\r\nh\r\n4\r\nello\r\n" + end, HELLO)
    c.good("a size in capitals", start + b"A\r\n0123456789\r\n" + end, ("POST", "/x", b"0123456789"))
    for size in (b"05", b"005", b"0000000000000005"):
        c.odd(f"size {size!r}", "padded_number", start + size + b"\r\nhello\r\n" + end, HELLO)
    for size in (b"00", b"0000", b"0000000000000000"):
        c.odd(f"a last chunk {size!r}", "padded_number", start + b"5\r\nhello\r\n" + size + b"\r\n\r\n", HELLO)
    for extension in (b";", b";a", b";a=b", b';a="b c"', b";a;b", b"; a", b";a=\t", b";" + b"e" * 200, b";\xff", b";0\t"):
        c.odd(f"a chunk's extension {extension[:20]!r}", "chunk_extension", start + b"5" + extension + b"\r\nhello\r\n" + end, HELLO)
        c.odd(f"a last chunk's extension {extension[:20]!r}", "chunk_extension", start + b"5\r\nhello\r\n0" + extension + b"\r\n\r\n", HELLO)
    for size in (b"5 ", b" 5", b"5\t", b"\t5", b"0x5", b"0X5", b"+5", b"-5", b"-0", b"g", b"", b"5g", b"5,5", b"5.0", b"5 5", b"5h", b"\"5\"", b"5=", b"5,", b"5:", b"8000000000000000",
                 b"FFFFFFFFFFFFFFFF", b"10000000000000005", b"F" * 40, b"\xef\xbc\x95", b"5\x0b", b"\x0b5", b"5\xa0", b"5\x01", b"5 ;a=b", b"5\t;a"):
        c.bad(f"size {size!r}", "bad_chunk_size", start + size + b"\r\nhello\r\n" + end + SMUGGLED)
    long = start + b"00000000000000005\r\nhello\r\n" + end + SMUGGLED
    refused = Expected([], "bad_chunk_size")
    c.add("a size of 17 digits", long, monitor=refused, defensive=refused, strictest=Expected([], "padded_number"))  # said first
    for size, defect in ((b"5\x00", "nul_byte"), (b"\x005", "nul_byte"), (b"5\n", "bare_lf"), (b"5\r", "bare_cr"), (b"5\r\r", "bare_cr")):
        c.bad(f"size {size!r}", defect, start + size + (b"\r\n" if size[-1:] not in b"\n" else b"") + b"hello\r\n" + end + SMUGGLED)
    for extension, defect in ((b";a\n", "bare_lf"), (b";\n", "bare_lf"), (b";a\r", "bare_cr"), (b";a\x00b\r\n", "nul_byte"), (b";" + b"e" * 300 + b"\r\n", "bad_chunk_extension"),
                              (b";a\x01\r\n", "bad_chunk_extension"), (b";\x7f\r\n", "bad_chunk_extension"), (b";a\nb\r\n", "bare_lf"), (b";a\rb\r\n", "bare_cr")):
        refused = Expected([], defect)
        c.add(f"extension {extension[:12]!r}", start + b"5" + extension + b"hello\r\n" + end + SMUGGLED, monitor=refused, defensive=refused,
              strictest=Expected([], "chunk_extension"))
    for ending in (b"\n", b"\r", b"", b"X\r\n", b"XX", b"\r\r\n", b"\n\r", b" \r\n", b"\x00\r\n", b"\r\nX", b"0\r\n"):
        defect = "bad_chunk_size" if ending == b"\r\nX" else "bad_chunk_end"
        c.bad(f"a chunk ends with {ending!r}", defect, start + b"5\r\nhello" + ending + end + SMUGGLED)
    for ending, defect in ((b"0\n\r\n", "bare_lf"), (b"0\r\n\n", "bare_lf"), (b"0\n\n", "bare_lf"), (b"0\r\r\n\r\n", "bare_cr"), (b"-0\r\n\r\n", "bad_chunk_size"),
                           (b"0 \r\n\r\n", "bad_chunk_size"), (b"0x0\r\n\r\n", "bad_chunk_size"), (b"\r\n\r\n", "bad_chunk_size"), (b"0\r\n\r\r\n", "bare_cr")):
        c.bad(f"the last chunk {ending!r}", defect, start + b"5\r\nhello\r\n" + ending + SMUGGLED)


def _trailers(c: Corpus) -> None:
    start = head("POST", "/x", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n"
    for trailer in (b"X-Sum: 1", b"A:", b"Server-Timing: x", b"Grpc-Status: 0", b"ETag: \"x\""):
        c.good(f"trailer {trailer!r}", start + trailer + b"\r\n\r\n", HELLO)
    for name in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: other", b"Connection: close", b"Trailer: A", b"TE: trailers", b"Expect: 100-continue", b"Cookie: a=b",
                 b"Authorization: x", b"X-Forwarded-For: 1.2.3.4", b"Forwarded: for=x", b"Content-Encoding: gzip", b"Range: bytes=0-", b"Set-Cookie: a=b", b"Upgrade: h2c",
                 b"X-Real-IP: 1.2.3.4", b"X-HTTP-Method-Override: DELETE", b"Max-Forwards: 0", b"Cache-Control: no-store"):
        c.bad(f"trailer {name!r}", "forbidden_trailer", start + name + b"\r\n\r\n" + SMUGGLED)
    for trailer, defect in ((b"A", "bad_trailer"), (b": b", "bad_trailer"), (b"A : b", "space_before_colon"), (b" A: b", "obs_fold"), (b"\tA: b", "obs_fold"), (b"A: b\r\n c", "obs_fold"),
                            (b"A\x00: b", "nul_byte"), (b"A: b\x00", "nul_byte"), (b"A: \x01", "bad_trailer"), (b"A(: b", "bad_trailer"), (b"A: b\rc", "bare_cr"), (b"A\r: b", "bare_cr"),
                            (b"GET /smuggled HTTP/1.1", "space_before_colon"), (b"A: b\x7f", "bad_trailer")):
        c.bad(f"trailer {trailer!r}", defect, start + trailer + b"\r\n\r\n" + SMUGGLED)
    c.bad("a trailer that ends with LF", "bare_lf", start + b"A: b\n\r\n" + SMUGGLED)
    c.bad("many trailers", "too_many_headers", start + b"A: b\r\n" * 101 + b"\r\n" + SMUGGLED)


def _connections(c: Corpus) -> None:
    for option in ("Content-Length", "Transfer-Encoding", "Host", "close, Content-Length", "X", "keep-alive, Host", ", ,", "x,,y"):
        c.good(f"Connection: {option}", head("POST", "/x", f"Connection: {option}", "Content-Length: 5") + b"hello", HELLO)
        c.good(f"Connection: {option}, chunks", head("POST", "/x", f"Connection: {option}", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n", HELLO)
    c.good("close, two requests", head("GET", "/x", "Connection: close") + SMUGGLED, GET)
    c.good("HTTP/1.0, two requests", head("GET", version="HTTP/1.0") + SMUGGLED, GET)
    for upgrade in ("websocket", "h2c, websocket", "x"):
        if "h2c" in upgrade:
            continue  # never an upgrade here
        for framing, body in (("Content-Length: 5", b"hello"), ("Transfer-Encoding: chunked", b"0\r\n\r\n")):
            c.bad(f"Upgrade: {upgrade} with {framing}", "upgrade_with_body",
                  head("POST", "/x", "Connection: upgrade", f"Upgrade: {upgrade}", framing) + body + SMUGGLED)
    for method in ("GET", "HEAD", "DELETE"):
        for framing, body in (("Content-Length: 5", b"hello"), ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")):
            c.odd(f"{method} with {framing}", "unexpected_body", head(method, "/x", framing) + body, (method, "/x", b"hello"))
        c.good(f"{method} with a length of 0", head(method, "/x", "Content-Length: 0"), (method, "/x", b""))
        c.odd(f"{method} whose body is a request", "unexpected_body", head(method, "/x", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED, (method, "/x", SMUGGLED))


def _pipelines(c: Corpus) -> None:
    kinds = [(head("GET"), GET), (head("POST", "/x", "Content-Length: 5") + b"hello", HELLO), (head("POST", "/x", "Content-Length: 0"), X),
             (head("POST", "/x", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n", HELLO), (head("PUT", "/y", "Transfer-Encoding: chunked") + b"0\r\n\r\n", ("PUT", "/y", b""))]
    for first, a in kinds:
        for second, b in kinds:
            c.good(f"pipeline {a[:2]} {b[:2]}", first + second + head("GET"), a, b, GET)
    for count in (3, 7, 12):
        c.good(f"pipeline of {count}", b"".join(kinds[n % 5][0] for n in range(count)), *(kinds[n % 5][1] for n in range(count)))
    for first, a in kinds:
        for bad, defect in ((head("POST", "/x", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", "length_and_coding"), (head("GET", "/x", "A : b"), "space_before_colon"),
                            (b"\x00\x01\x02\r\n\r\n", "nul_byte"), (head("GET", host=None), "missing_host"), (head("POST", "/x", "Transfer-Encoding: x"), "unknown_coding"), (head("POST", "/x", "Content-Length: -1"), "bad_content_length")):
            c.bad(f"pipeline {a[:2]}, then {defect}", defect, first + bad + SMUGGLED, a)
    c.bad("a body one byte too long", "bad_method", head("POST", "/x", "Content-Length: 5") + b"hello/" + head("GET"), HELLO)
    c.good("a body that is a request", head("POST", "/x", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED, ("POST", "/x", SMUGGLED))
    c.good("a chunk that is a request", head("POST", "/x", "Transfer-Encoding: chunked") + b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n", ("POST", "/x", SMUGGLED))


def requests() -> list[Case]:
    corpus = Corpus()
    for part in (_codings, _lengths, _line_ends, _folds, _bytes, _first_lines, _hosts, _chunks, _trailers, _connections, _pipelines):
        part(corpus)
    return corpus.cases

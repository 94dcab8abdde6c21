"""A gRPC server and client of the grpc project, each a process of its own: grpc_peer.py serve PORT | call ADDRESS.

    grpc_peer.py health PORT [CERT KEY]    a server whose health and whose answers to /test.T/Try are told on its input,
                                           a line each: health BYTES | try STATUS [PUSHBACK_MS]; says how often it was tried
    grpc_peer.py once ADDRESS TIMEOUT      one call of /test.T/Try
"""

import sys
import time
from concurrent import futures

import grpc


class Methods(grpc.GenericRpcHandler):
    def service(self, details):
        return {
            "/test.T/Echo": grpc.unary_unary_rpc_method_handler(echo),
            "/test.T/Fail": grpc.unary_unary_rpc_method_handler(fail),
            "/test.T/Sleep": grpc.unary_unary_rpc_method_handler(lambda request, _: (time.sleep(5), request)[1]),
            "/test.T/Chat": grpc.stream_stream_rpc_method_handler(lambda requests, _: (b"<" + each + b">" for each in requests)),
            "/test.T/Many": grpc.unary_stream_rpc_method_handler(lambda *_: (bytes(100_000) for _ in range(100))),
        }.get(details.method)


def echo(request, context):
    context.set_trailing_metadata((("x-seen", context.peer().partition(":")[0]),))
    return b"echo " + request


def fail(_, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: 100% \u00e4")


def serve(port: str) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Methods(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


class Told(grpc.GenericRpcHandler):
    """Answers as the lines of its input say."""

    def __init__(self):
        self.health = "serving"
        self.answer = ["OK"]
        self.tries = 0

    def service(self, details):
        if details.method == "/grpc.health.v1.Health/Check" and self.health != "none":
            return grpc.unary_unary_rpc_method_handler(self.check)
        if details.method == "/test.T/Try":
            return grpc.unary_unary_rpc_method_handler(self.attempt)
        return None

    def check(self, request, context):
        if request not in (b"", b"\n\x09shop.Cart"):
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        if self.health == "slow":
            time.sleep(3)
        return {"serving": b"\x08\x01", "not_serving": b"\x08\x02", "unknown": b"\x08\x03", "slow": b"\x08\x01"}[self.health]

    def attempt(self, request, context):
        self.tries += 1
        if self.answer[0] == "OK":
            return b"well: " + request
        if len(self.answer) > 1:
            context.set_trailing_metadata((("grpc-retry-pushback-ms", self.answer[1]),))
        context.abort(grpc.StatusCode[self.answer[0]], "as told")


def health(port: str, *certificate: str) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    told = Told()
    server.add_generic_rpc_handlers((told,))
    if certificate:
        cert, key = (open(name, "rb").read() for name in certificate)
        server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials(((key, cert),)))
    else:
        server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    print("ready", flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        print(told.tries, flush=True)
        if word == "health":
            told.health = rest[0]
        else:
            told.answer = rest
            told.tries = 0
    server.stop(None)


def once(address: str, timeout: str) -> None:
    with grpc.insecure_channel(address) as channel:
        print(status_of(lambda: channel.unary_unary("/test.T/Try")(b"hello", timeout=float(timeout))))


def status_of(call) -> str:
    try:
        return f"OK {call()!r}"
    except grpc.RpcError as error:
        return f"{error.code().name} {error.details()}"


def call(address: str, dead: str) -> None:
    """Prints one line a call; the caller compares them."""
    with grpc.insecure_channel(address) as channel:
        unary = channel.unary_unary("/test.T/Echo")
        answer, made = unary.with_call(b"hello", timeout=20)
        print(answer, dict(made.trailing_metadata())["x-seen"])
        print(status_of(lambda: channel.unary_unary("/test.T/Fail")(b"", timeout=20)))
        print(status_of(lambda: channel.unary_unary("/test.T/None")(b"", timeout=20)).split()[0])
        print(list(channel.stream_stream("/test.T/Chat")(iter([b"a", b"b", b"c"]), timeout=20)))
        print(sum(len(piece) for piece in channel.unary_stream("/test.T/Many")(b"", timeout=20)))
        print(len(unary(bytes(3_000_000), timeout=20)))
        calls = [unary.future(b"%d" % n, timeout=20) for n in range(500)]
        print(all(each.result() == b"echo %d" % n for n, each in enumerate(calls)))
        print(status_of(lambda: channel.unary_unary("/test.T/Sleep")(b"", timeout=0.3)).split()[0])
    with grpc.insecure_channel(dead) as channel:
        print(status_of(lambda: channel.unary_unary("/test.T/Echo")(b"", timeout=20)))


if __name__ == "__main__":
    {"serve": serve, "call": call, "health": health, "once": once}[sys.argv[1]](*sys.argv[2:])

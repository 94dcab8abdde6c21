"""A gRPC server and client of the grpc project, each a process of its own: grpc_peer.py serve PORT | call ADDRESS."""

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
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])

"""The origin of grpc-unary: nghttpd, which answers a call with a message from its cache and grpc-status 0 in the trailers.

It could echo what was sent, but does so through a file of its own for each call, which costs more than any peer.
"""

import socket

from kit import h2load, machine, workloads
from kit.processes import Process, wait_until


class GrpcOrigin:
    def __init__(self, *, folder, workers, cores):
        port = machine.free_port()
        self.address = f"127.0.0.1:{port}"
        self.folder = folder / "origin"
        answer = self.folder / workloads.ALL["grpc-unary"].path.lstrip("/")
        answer.parent.mkdir(parents=True)
        answer.write_bytes(h2load.MESSAGE)
        self.process = Process("origin", [
            "nghttpd", "--no-tls", "-a", "127.0.0.1", "-n", workers, "-m", 256, "--no-content-length",
            "--trailer", "grpc-status: 0", "-d", self.folder, port], folder=self.folder, cores=cores)

    def wait_ready(self):
        host, _, port = self.address.rpartition(":")

        def answered():
            self.process.check_alive()
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
                return True
            except OSError:
                return False

        wait_until(answered, seconds=10, what=f"nghttpd to listen on {self.address}")

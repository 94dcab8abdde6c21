"""The origin of the ajp workloads: one Tomcat that answers from its cache, over AJP."""

import pathlib
import socket

from kit import machine, templates, workloads
from kit.processes import Process, wait_until

HOME = pathlib.Path("/usr/share/tomcat10")
CPING, CPONG = b"\x12\x34\x00\x01\x0a", b"AB\x00\x01\x09"
START_SECONDS = 60


class AjpOrigin:
    def __init__(self, *, folder, workers, cores):
        del workers  # its threads are as many as it has connections
        port = machine.free_port()
        self.address = f"127.0.0.1:{port}"
        self.folder = folder / "origin"
        root = self.folder / "webapps/ROOT"
        for name in (root / "WEB-INF", self.folder / "conf", self.folder / "temp", self.folder / "logs"):
            name.mkdir(parents=True)
        for body in (workloads.SMALL, workloads.MEDIUM, workloads.LARGE):
            (root / body["path"].lstrip("/")).write_bytes(b"x" * body["body_bytes"])
        (self.folder / "conf/server.xml").write_text(templates.render("tomcat-server.xml", port=port))
        (self.folder / "conf/web.xml").write_text(templates.render("tomcat-web.xml"))
        self.process = Process("origin", [
            "java", "-Xmx256m", "-Djava.awt.headless=true", "-cp", f"{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar",
            f"-Dcatalina.home={HOME}", f"-Dcatalina.base={self.folder}", f"-Djava.io.tmpdir={self.folder}/temp",
            "org.apache.catalina.startup.Bootstrap", "start"], folder=self.folder, cores=cores)

    def wait_ready(self):
        def answered():
            self.process.check_alive()
            try:
                host, _, port = self.address.rpartition(":")
                with socket.create_connection((host, int(port)), timeout=5) as connection:
                    connection.sendall(CPING)
                    return connection.recv(len(CPONG), socket.MSG_WAITALL) == CPONG
            except OSError:
                return False

        wait_until(answered, seconds=START_SECONDS, what=f"Tomcat to answer CPING on {self.address}")

"""The origin behind every peer: one nginx that answers from memory."""

import grp
import os
import pwd

from kit import http, machine, templates, workloads
from kit.processes import Process


def user():
    """nginx started by root gives its workers another user, who could not read our folder."""
    return f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"


class Origin:
    def __init__(self, *, folder, workers, cores):
        self.address = f"127.0.0.1:{machine.free_port()}"
        folder = folder / "origin"
        folder.mkdir()
        self.folder = folder
        for body in (workloads.SMALL, workloads.MEDIUM, workloads.LARGE):
            (folder / body["path"].lstrip("/")).write_bytes(b"x" * body["body_bytes"])
        config = folder / "origin.cfg"
        config.write_text(templates.render(
            "origin.cfg", workers=workers, listen=self.address, folder=folder, user=user(),
            small="x" * workloads.SMALL["body_bytes"]))
        self.process = Process("origin", ["nginx", "-p", folder, "-c", config, "-e", "stderr"],
                               folder=folder, cores=cores)

    def wait_ready(self):
        http.wait_for_200(self.address, workloads.SMALL["path"], process=self.process)

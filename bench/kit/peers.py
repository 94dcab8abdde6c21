"""The peers: how each is configured, started and named. Their configurations are in bench/peers."""

import dataclasses
import hashlib
import shlex
import shutil

from kit import certificate, h2load, http, machine, templates
from kit.failure import Failure
from kit.origin import user
from kit.processes import Process, wait_until


class Started:
    """A peer that runs and has answered a request."""

    def __init__(self, peer, workload, *, origin, files, folder, workers, cores):
        self.name = peer.name
        self.port = machine.free_port()
        folder = folder / peer.name
        folder.mkdir()
        listens = [f"{address}:{self.port}" for address in workload.addresses]
        if workload.is_secure:
            certificate.make(folder)
        command = peer.command(workload, listens=listens, origin=origin, files=files, folder=folder, workers=workers)
        self.process = Process(peer.name, command, folder=folder, cores=cores)
        self._listens = listens
        self._path = workload.path
        self._workload = workload

    def wait_ready(self):
        for listen in self._listens:
            if self._workload.is_http2:
                h2load_ready(listen, self._workload, process=self.process)
            else:
                http.wait_for_200(listen, self._path, process=self.process, secure=self._workload.is_secure)


_TEMPLATE = {"h2": "https", "h2c": "http", "grpc": "http"}
_LISTENER = {"h2": "https", "h2c": "http", "grpc": "http"}


def h2load_ready(listen, workload, *, process):
    """One request over HTTP/2, with the client that the load comes from."""
    def answered():
        process.check_alive()
        try:
            h2load.run(dataclasses.replace(workload, connections=1, streams=1), port=listen.rpartition(":")[2], seconds=1,
                       threads=1, cores=None, peer=process.name)
            return True
        except Failure:
            return False

    wait_until(answered, seconds=http.READY_SECONDS, what=f"{process.name} to answer on {listen}")


class Ballast:
    packages = {}
    modes = {"http", "tcp", "static", "https", "ajp", "h2", "h2c", "grpc"}

    def __init__(self, path, name="ballast", listener=""):
        self.name = name
        self._path = path
        self._listener = listener  # properties of an http listener

    def check(self):
        if not shutil.which(str(self._path)):
            raise Failure(f"ballast: {self._path} is not an executable; build it, or give --ballast PATH, "
                          "or leave it out with --peers haproxy,nginx")

    def version(self):
        return f"{machine.first_line([str(self._path), 'version'])}, sha256 {_digest(self._path)}"

    def command(self, workload, *, listens, origin, files, folder, workers):
        config = folder / "ballast.yaml"
        if workload.mode == "static":
            config.write_text(templates.render("ballast-static.yaml", listen=listens[0], files=files, folder=folder,
                                               workers=workers))
            return [self._path, "up", config]
        if workload.mode == "ajp":
            config.write_text(templates.render("ballast-ajp.yaml", listen=listens[0], origin=origin, folder=folder,
                                               workers=workers))
            return [self._path, "up", config]
        listeners = "\n".join(
            f'  web{n}: {{ address: "{listen}", protocol: {_LISTENER.get(workload.mode, workload.mode)}, {_ballast_tls(workload)}{self._listener}default: {{ forward: site }} }}'
            for n, listen in enumerate(listens))
        config.write_text(templates.render("ballast.yaml", listeners=listeners, origin=origin,
                                           mode={"tcp": "tcp", "grpc": "h2c"}.get(workload.mode, "http"),
                                           folder=folder, workers=workers))
        return [self._path, "up", config]


class Haproxy:
    name = "haproxy"
    packages = {"haproxy": machine.has_program("haproxy")}
    modes = {"http", "tcp", "https", "h2", "h2c", "grpc"}  # it serves no files

    def check(self):
        pass

    def version(self):
        return machine.first_line(["haproxy", "-v"])

    def command(self, workload, *, listens, origin, files, folder, workers):
        del files
        config = folder / "haproxy.cfg"
        words = {}
        if workload.mode != "tcp":
            words = {"proto": "proto h2" if workload.is_http2 else "", "to": "proto h2" if workload.mode == "grpc" else ""}
        if workload.is_secure:
            words = {"alpn": "h2" if workload.is_http2 else "http/1.1", "certificate": folder / certificate.BOTH, "tickets": "" if workload.tickets else "no-tls-tickets"}
        config.write_text(templates.render(f"haproxy-{_TEMPLATE.get(workload.mode, workload.mode)}.cfg", listens=",".join(listens), origin=origin,
                                           workers=workers, **words))
        return ["haproxy", "-db", "-f", config]


class Nginx:
    name = "nginx"
    packages = {"nginx": machine.has_program("nginx")}
    modes = {"http", "tcp", "https", "static", "h2", "h2c", "grpc"}

    def check(self):
        pass

    def version(self):
        return machine.first_line(["nginx", "-v"])

    def command(self, workload, *, listens, origin, files, folder, workers):
        config = folder / "nginx.cfg"
        if workload.mode == "static":
            config.write_text(templates.render("nginx-static.cfg", listen=listens[0], files=files, workers=workers,
                                               folder=folder, user=user()))
            return ["nginx", "-p", folder, "-c", config, "-e", "stderr"]
        module = {"module": machine.STREAM_MODULE} if workload.mode == "tcp" else {}
        if workload.is_secure:
            module = {"certificate": folder / certificate.BOTH, "tickets": "on" if workload.tickets else "off"}
        ssl = ("ssl " if workload.is_secure else "") + ("http2 " if workload.is_http2 else "")
        config.write_text(templates.render(
            f"nginx-{'grpc' if workload.mode == 'grpc' else _TEMPLATE.get(workload.mode, workload.mode)}.cfg", listens="\n        ".join(f"listen {listen} {ssl}reuseport backlog=4096;" for listen in listens),
            origin=origin, workers=workers, folder=folder, user=user(), **module))
        return ["nginx", "-p", folder, "-c", config, "-e", "stderr"]


class Apache:
    name = "apache"
    packages = {"apache2-bin": lambda: machine.APACHE_MODULES.exists()}
    modes = {"ajp"}

    def check(self):
        pass

    def version(self):
        return machine.first_line(["/usr/sbin/apache2", "-v"])

    def command(self, workload, *, listens, origin, files, folder, workers):
        del workload, files
        config = folder / "apache.conf"
        config.write_text(templates.render("apache-ajp.conf", listen=listens[0], origin=origin, folder=folder, workers=workers,
                                           threads=300 * workers, modules=machine.APACHE_MODULES))
        return ["/usr/sbin/apache2", "-f", config, "-D", "FOREGROUND"]


class Command:
    """Any other proxy, or another build of Ballast, by its command line."""

    packages = {}
    modes = {"http", "tcp"}

    def __init__(self, text):
        self.name, equals, self._command = text.partition("=")
        if not equals or not self.name.isidentifier():
            raise Failure(f"--command wants NAME=COMMAND, not {text}")

    def check(self):
        program = shlex.split(self._command)[0]
        if not shutil.which(program):
            raise Failure(f"{self.name}: {program} is not an executable")

    def version(self):
        return f"`{self._command}`"

    def command(self, workload, *, listens, origin, files, folder, workers):
        del files
        if len(listens) > 1:
            port = listens[0].rpartition(":")[2]
            listens = [f"0.0.0.0:{port}"]
        words = {"listen": listens[0], "origin": origin, "workers": workers, "mode": workload.mode, "dir": folder}
        return [word.format(**words) for word in shlex.split(self._command)]


def _ballast_tls(workload):
    if not workload.is_secure:
        return ""
    tickets = "true" if workload.tickets else "false"
    return f"certificates: {{ cert: {certificate.BOTH}, key: {certificate.BOTH} }}, tls: {{ session_tickets: {tickets} }}, "


# Only where it is asked for: what a limit of rate costs that is never reached.
_LIMITED = "ballast_limited"
_NEVER_REACHED = "rate_limits: { requests: 1000000, per: 1s, burst: 10000000 }, "


def choose(names, *, ballast, commands):
    known = {peer.name: peer for peer in (Ballast(ballast), Ballast(ballast, _LIMITED, _NEVER_REACHED), Haproxy(), Nginx(),
                                          Apache(), *map(Command, commands))}
    chosen = names.split(",") if names else [name for name in known if name != _LIMITED]
    for name in chosen:
        if name not in known:
            raise Failure(f"no peer is called {name}; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(chosen)]


def packages(peers, workloads):
    needed = {"wrk": machine.has_program("wrk"), "nginx": machine.has_program("nginx")}
    for peer in peers:
        needed |= peer.packages
    if any(peer.name == "nginx" for peer in peers) and any(workload.mode == "tcp" for workload in workloads):
        needed["libnginx-mod-stream"] = machine.STREAM_MODULE.exists
    if any(workload.is_http2 for workload in workloads):
        needed["nghttp2-client"] = machine.has_program("h2load")
    if any(workload.mode == "grpc" for workload in workloads):
        needed["nghttp2-server"] = machine.has_program("nghttpd")
    if any(workload.mode == "ajp" for workload in workloads):
        needed["tomcat10-common"] = machine.TOMCAT.exists
    return needed


def check(peers):
    for peer in peers:
        peer.check()


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]

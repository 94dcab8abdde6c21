"""What the bench needs from the machine, and how the machine is described in a report."""

import os
import pathlib
import platform
import random
import resource
import shutil
import socket
import subprocess

from kit.failure import Failure

# 6,000 connections come in and, in the worst case, 6,000 go out; the rest is room.
DESCRIPTORS = 20_000
# Below the kernel's ephemeral range (32768 and up), so no outgoing connection takes a port first.
PORTS = range(20_000, 32_000)
APACHE_MODULES = pathlib.Path("/usr/lib/apache2/modules")
TOMCAT = pathlib.Path("/usr/share/tomcat10/bin/bootstrap.jar")
STREAM_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")


def install_what_is_missing(packages):
    """packages: Debian package name -> a function that tells whether it is there."""
    missing = [name for name, present in packages.items() if not present()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(f"missing: {', '.join(missing)}; install with: apt-get install {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", *missing]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)} failed:\n{done.stderr}")
    still = [name for name, present in packages.items() if not present()]
    if still:
        raise Failure(f"installed but still not found: {', '.join(still)}")


def has_program(name):
    return lambda: shutil.which(name) is not None


def allow_many_descriptors():
    """Peers and clients inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        raise Failure(f"needs {DESCRIPTORS} file descriptors, the hard limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


def free_port():
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
    raise Failure(f"no free port between {PORTS.start} and {PORTS.stop}")


def describe(repository):
    return [
        f"machine: {_cpu_model()}, {os.cpu_count()} cores, Linux {platform.release()}",
        f"commit: {_commit(repository)}",
        f"client: {first_line(['wrk', '-v'])}; origin: {first_line(['nginx', '-v'])}",
        f"load average at the end: {os.getloadavg()[0]:.1f}",
    ]


def _cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit(repository):
    def git(*words):
        done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True, timeout=30)
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return "none"
    return commit + (" with local changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0].strip() if text else "unknown version"

#!/usr/bin/env python3
"""TLS in the kernel (kTLS), on a kernel that has it: Debian's, in a small machine of QEMU's without hardware help, with
Ballast, clients and a target inside (kernel_tls_guest.py). The machine has no disk and no network but its loopback.

    tests/real/kernel_tls.py --ballast build/test/ballast

The kernel is one of this system that has the module, or is fetched once, with apt-get, and not installed.
"""

import argparse
import asyncio
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from kit import certificates  # noqa: E402

BOOT_SECONDS_MAX = 240
META_PACKAGE = "linux-image-cloud-amd64"
# Folders of modules, and what of them is not needed at start.
MODULES = ("kernel/net/tls", "kernel/crypto", "kernel/arch/x86/crypto", "kernel/lib/crypto")
# Of Python's library: what nobody inside asks for.
LEFT_OUT = {"test", "idlelib", "tkinter", "lib2to3", "ensurepip", "distutils", "pydoc_data", "turtledemo", "unittest", "sqlite3",
            "curses", "dbm", "xmlrpc", "wsgiref", "venv", "multiprocessing", "config-3.11-x86_64-linux-gnu", "site-packages", "dist-packages"}

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /sbin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox ln -s /bin/busybox /sbin/modprobe
/bin/busybox ifconfig lo 127.0.0.1 up
export PATH=/bin PYTHONDONTWRITEBYTECODE=1 PYTHONHOME=/usr HOME=/tmp
/bin/busybox echo "booted"
/usr/bin/python3 -S /kernel_tls_guest.py
/bin/busybox poweroff -f
"""


class Skipped(Exception):
    pass


def find_kernel(cache: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The kernel and its modules."""
    def found(root: pathlib.Path):
        for kernel in sorted((root / "boot").glob("vmlinuz-*"), reverse=True):
            modules = root / "lib/modules" / kernel.name.removeprefix("vmlinuz-")
            if any(modules.glob("kernel/net/tls/tls.ko*")) and os.access(kernel, os.R_OK):
                return kernel, modules
        return None

    for root in (cache, pathlib.Path("/")):
        if (pair := found(root)) is not None:
            return pair
    depends = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True)
    names = re.findall(r"Depends: (linux-image-\S+)", depends.stdout)
    if not names:
        raise Skipped(f"no kernel with the module tls here, and apt-cache knows no {META_PACKAGE}")
    with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
        fetched = subprocess.run(["apt-get", "-q", "download", names[0]], cwd=folder, capture_output=True, text=True)
        packages = list(pathlib.Path(folder).glob("*.deb"))
        if fetched.returncode != 0 or not packages:
            raise Skipped(f"{names[0]} cannot be fetched: {fetched.stderr.strip()[-200:]}")
        subprocess.run(["dpkg-deb", "-x", packages[0], f"{folder}/root"], check=True)
        cache.mkdir()
        for part in ("boot", "lib"):
            shutil.move(f"{folder}/root/{part}", cache / part)
    pair = found(cache)
    if pair is None:
        raise Skipped(f"{names[0]} has no module tls")
    return pair


class Image:
    """What the machine starts from, as a folder."""

    def __init__(self, root: pathlib.Path):
        self.root = root

    def put(self, source: pathlib.Path, place: str | None = None) -> None:
        to = self.root / (place or str(source)).lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists():
            shutil.copyfile(source, to)
            to.chmod(0o755)

    def put_program(self, source: pathlib.Path, place: str | None = None) -> None:
        self.put(source, place)
        self.put_libraries(source)

    def put_libraries(self, source: pathlib.Path) -> None:
        listed = subprocess.run(["ldd", source], capture_output=True, text=True, check=True).stdout
        for path in re.findall(r"(/\S+) \(0x", listed):
            self.put(pathlib.Path(path))

    def put_modules(self, modules: pathlib.Path) -> None:
        place = f"/lib/modules/{modules.name}"
        for folder in MODULES:
            for module in (modules / folder).rglob("*.ko*"):
                self.put(module, f"{place}/{module.relative_to(modules)}")
        for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
            if (modules / name).exists():
                self.put(modules / name, f"{place}/{name}")
        subprocess.run(["busybox", "depmod", "-b", self.root, modules.name], check=True)

    def put_python(self) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        library = pathlib.Path(f"/usr/lib/{version}")
        self.put_program(pathlib.Path(f"/usr/bin/{version}"), "/usr/bin/python3")
        shutil.copytree(library, self.root / f"usr/lib/{version}", ignore=lambda folder, names: LEFT_OUT.intersection(names))
        for each in library.glob("lib-dynload/*.so"):
            if each.name.startswith(("_ssl", "_hashlib", "_ctypes", "_json", "_queue", "_contextvars")):
                self.put_libraries(each)

    def archive(self, file: pathlib.Path) -> None:
        names = "".join(f"{path.relative_to(self.root)}\n" for path in sorted(self.root.rglob("*")))
        with file.open("wb") as out:
            subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=self.root, input=names.encode(), stdout=out,
                           stderr=subprocess.DEVNULL, check=True)


def make_image(binary: pathlib.Path, modules: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    image = Image(folder / "image")
    data = image.root / "data"
    data.mkdir(parents=True)
    asyncio.run(certificates.make_certificate(data, "site", {"for": "site.test"}))
    image.put(pathlib.Path("/bin/busybox"))
    image.put_program(binary, "/ballast")
    image.put_python()
    image.put(HERE / "kernel_tls_guest.py", "/kernel_tls_guest.py")
    image.put_modules(modules)
    init = image.root / "init"
    init.write_text(INIT)
    init.chmod(0o755)
    image.archive(folder / "image.cpio")
    return folder / "image.cpio"


def run_machine(kernel: pathlib.Path, image: pathlib.Path) -> str:
    command = ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1024", "-nographic", "-no-reboot",
               "-nodefaults", "-serial", "stdio", "-kernel", kernel, "-initrd", image,
               "-append", "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on rdinit=/init"]
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)
    try:
        return machine.communicate(timeout=BOOT_SECONDS_MAX)[0]
    except subprocess.TimeoutExpired:
        machine.kill()
        return machine.communicate()[0] + f"\nFAILED: the machine was stopped after {BOOT_SECONDS_MAX} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ballast", required=True, type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, help="where a kernel that was fetched is kept")
    arguments = parser.parse_args()
    binary = arguments.ballast.resolve()
    try:
        for tool in ("qemu-system-x86_64", "busybox"):
            if shutil.which(tool) is None:
                raise Skipped(f"{tool} is not installed (tools/packages test)")
        kernel, modules = find_kernel(arguments.cache or binary.parent / "kernel")
    except Skipped as why:
        print(f"SKIPPED: {why}")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        image = make_image(binary, modules, pathlib.Path(folder))
        made = time.monotonic()
        said = run_machine(kernel, image)
    print(said)
    print(f"{kernel.name}: image {made - began:.0f} s, machine {time.monotonic() - made:.0f} s")
    if "all done, 0 failed" in said and "FAILED" not in said:
        return 0
    print("FAILED: see above")
    return 1


if __name__ == "__main__":
    sys.exit(main())

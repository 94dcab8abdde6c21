"""The guide tells the truth: every configuration in it passes `ballast check`, and the commands of its first page run.

    guide.py --ballast build/test/ballast
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^```\w+ ([\w.-]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)  # a file that a configuration names
SECONDS_MAX = 60


def check(ballast, name, text, folder):
    path = folder / "guide.yaml"
    path.write_text(text)
    for root in re.findall(r"\broot: ([\w./-]+)", text):  # folders of files
        (folder / root).mkdir(parents=True, exist_ok=True)
    done = subprocess.run([ballast, "check", str(path)], capture_output=True, text=True, timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise SystemExit(f"guide: {name}: ballast check refuses a configuration:\n{done.stdout}{done.stderr}")


def carry_over(ballast, name, path):
    """What `ballast import` makes of a file is what `ballast check` takes."""
    done = subprocess.run([ballast, "import", str(path)], capture_output=True, text=True, timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise SystemExit(f"guide: {name}: ballast import cannot read {path.name}:\n{done.stderr}")
    check(ballast, f"{name}, {path.name}", done.stdout, path.parent)


def run_first_page(ballast, folder):
    page = (ROOT / "docs/guide/getting-started.md").read_text()
    script = ["set -euo pipefail -m"]
    for kind, text in BLOCK.findall(page):
        if kind == "yaml":
            (folder / "ballast.yaml").write_text(text)
        elif kind == "sh":
            script.append(text)
    # What was started is ended by its own number.
    script.append("kill -TERM %3; wait %3; kill -TERM %2; wait %2 || true")
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    (folder / "ballast").symlink_to(ballast)
    shell = subprocess.Popen(["bash", "-c", "\n".join(script)], cwd=folder, env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = shell.communicate(timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        out, err = shell.communicate()
        raise SystemExit(f"guide: the first page still runs after {SECONDS_MAX} s:\n{out}\n{err}") from None
    if shell.returncode != 0:
        raise SystemExit(f"guide: the first page's commands end with {shell.returncode}:\n{out}\n{err}")
    for wanted in ("name: one", "name: two", "draining", "least_requests"):
        if wanted not in out:
            raise SystemExit(f"guide: the first page's commands did not print {wanted!r}:\n{out}\n{err}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ballast", required=True)
    ballast = str(pathlib.Path(options.parse_args().ballast).resolve())
    count = 0
    with tempfile.TemporaryDirectory(prefix="ballast-guide-") as name:
        folder = pathlib.Path(name)
        for page in [*sorted((ROOT / "docs/guide").glob("*.md")), ROOT / "README.md"]:
            for name_of_file, text in NAMED.findall(page.read_text()):
                (folder / name_of_file).write_text(text)
                if name_of_file in ("nginx.conf", "haproxy.cfg"):
                    carry_over(ballast, page.name, folder / name_of_file)
                    count += 1
            for kind, text in BLOCK.findall(page.read_text()):
                if kind == "yaml" and re.search(r"^listeners:", text, re.MULTILINE):
                    check(ballast, page.name, text, folder)
                    count += 1
        if count < 5:
            raise SystemExit(f"guide: only {count} configurations found; are the blocks still marked yaml?")
        run_first_page(ballast, folder)
    print(f"guide: {count} configurations checked, the first page run")


sys.exit(main())

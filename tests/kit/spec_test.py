"""The runner of the scenarios: what holds passes, and whatever does not is found, with its line."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

KIT = pathlib.Path(__file__).resolve().parent
START = """origin a
config:
    target_groups: { site: { targets: [ "$a" ] } }
"""


def run(text: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "case.spec"
        file.write_text(text)
        done = subprocess.run([sys.executable, KIT / "spec.py", file, "--ballast", KIT / "fake_ballast.py"],
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr


class SpecTest(unittest.TestCase):
    def test_what_holds_passes(self):
        status, err = run(START + """
client:
    > POST /x
    > A: 1
    >
    > body
    < 200
    < X-Origin: a
    <
    < body
    expect silence 50ms
origin a saw 1 request
origin a saw:
    > POST /x
    > A: 1
$ ballast status --json
    json listeners[name=web].address is $web
$ ballast other
    exit 2
    complains "unknown"
notify says STATUS=*
""")
        self.assertEqual((status, err), (0, ""))

    def test_what_does_not_hold_is_found_at_its_line(self):
        for case, line, words in (
                ("client:\n    > GET /\n    < 201\n", 6, "status 200 Answer, wanted 201"),
                ("client:\n    > GET /\n    < 200\n    <\n    < b\n", 6, "body b'a', wanted 'b'"),
                ("client:\n    > GET /\n    < 200\n    expect end within 100ms\n", 7, "still open"),
                ("client:\n    repeat 2:\n        > GET /\n        < 200\n        < no X-Origin\n", 7, "header X-Origin is there"),
                ("client:\n    expect refused\n", 5, "took the connection"),
                ("client:\n    dance\n", 5, "unknown step"),
                ("client:\n    > GET /\n    < 200\norigin a saw 0 requests\n", 7, "saw 1 requests"),
                ("$ ballast other\n", 4, "exit 2, wanted 0"),
                ("$ ballast status\n    says \"nothing\"\n", 4, "not so"),
                ("$ ballast status --json\n    json listeners.# is 2\n", 4, "listeners.# is 1"),
                ("dance\n", 4, "unknown statement"),
                ("client to nowhere:\n    open\n", 4, "nowhere")):
            with self.subTest(case=case):
                status, err = run(START + case)
                self.assertEqual(status, 1)
                self.assertIn(f"line {line}:", err)
                self.assertIn(words, err)

    def test_an_origin_goes_on_when_told(self):
        hold = START.replace("origin a\n", "origin a:\n    > /held\n    hold\n    < 200\n")
        ask = hold + "client one:\n    > GET /held\norigin a saw 1 GET /held\n"
        status, err = run(ask + "origin a goes on in 50ms\nclient one:\n    < 200\norigin a has nothing unsent\nballast has 0 pipes\n")
        self.assertEqual((status, err), (0, ""))
        status, err = run(ask + "client one:\n    expect silence 100ms\norigin a is stuck with at least 1 bytes\n")
        self.assertEqual(status, 1)
        self.assertIn("0 bytes are not sent", err)

    def test_a_paused_program_does_nothing_until_it_goes_on(self):
        ask = "client one to web:\n    > GET /a\n"
        status, err = run(START + "ballast pauses\n" + ask + "client one:\n    expect silence 100ms\nballast goes on\nclient one:\n    < 200\n")
        self.assertEqual((status, err), (0, ""))
        status, err = run(START + "signal STOP\n")
        self.assertEqual(status, 1)
        self.assertIn("unknown statement", err)

    def test_a_killed_program_says_so(self):
        status, err = run(START + "signal KILL\nexits by KILL\n")
        self.assertEqual((status, err), (0, ""))
        status, err = run(START + "signal TERM\nexits by KILL\n")
        self.assertEqual(status, 1)
        self.assertIn("exit status 0", err)

    def test_the_end_of_the_program_is_checked(self):
        for setting, words in (("FAKE_EXIT=3", "ended with status 3"), ("FAKE_NEVER_READY=1", "ended with status 4"),
                               ("FAKE_STDERR=ERROR: AddressSanitizer: heap-use-after-free", "a sanitizer reports")):
            with self.subTest(setting=setting):
                status, err = run(f"start with environment {setting}\n" + START)
                self.assertEqual(status, 1)
                self.assertIn(words, err)

    def test_bytes_that_no_proxy_may_send_are_found(self):
        status, err = run(START + 'client:\n    send "GET / HTTP/1.1\\r\\nA : b\\r\\n\\r\\n"\n    expect end\n')
        self.assertEqual(status, 1)
        self.assertIn("what no proxy may send", err)


if __name__ == "__main__":
    unittest.main()

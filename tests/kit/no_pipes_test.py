"""deny_pipes: pipes are made, but none is made larger; nothing else is refused, and the parent is not held to it."""

import subprocess
import sys
import unittest

from kit.no_pipes import F_SETPIPE_SZ, deny_pipes

TRY = f"""
import fcntl, os
end = os.pipe()[1]
os.write(end, b"x")
assert fcntl.fcntl(end, fcntl.F_GETFD) >= 0
try:
    fcntl.fcntl(end, {F_SETPIPE_SZ}, 1 << 18)
    print("larger")
except PermissionError:
    print("refused")
"""


class NoPipesTest(unittest.TestCase):
    def test_a_pipe_stays_small(self):
        for deny, wanted in ((deny_pipes, "refused"), (None, "larger")):
            done = subprocess.run([sys.executable, "-c", TRY], preexec_fn=deny, capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout.strip(), wanted)


if __name__ == "__main__":
    unittest.main()

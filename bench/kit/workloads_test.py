"""Every workload has somebody to be compared with."""

import pathlib
import unittest

from kit import peers, workloads


class Workloads(unittest.TestCase):
    def test_ballast_and_a_peer_can_do_each(self):
        field = peers.choose("ballast,haproxy,nginx,apache", ballast=pathlib.Path("ballast"), commands=[])
        for workload in workloads.ALL.values():
            able = {peer.name for peer in field if workload.mode in peer.modes}
            with self.subTest(workload.name):
                self.assertIn("ballast", able)
                self.assertGreater(len(able), 1)


if __name__ == "__main__":
    unittest.main()

"""The kit of the whole-program tests: a fake upstream, a raw client, a chaos proxy, and a way to start the real binary."""

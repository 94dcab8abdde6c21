"""The two exceptions of the kit."""


class Failure(Exception):
    """A test did not see what it expects; the text is for the person who reads the test's output."""


class Violation(Exception):
    """A peer broke the protocol; the text names the rule and shows the bytes."""

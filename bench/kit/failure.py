"""The one exception of the bench: its text is for the person who started it."""


class Failure(Exception):
    pass

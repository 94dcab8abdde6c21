"""A process that gets no pipes of more than the usual size, as behind the user's limit (pipe(7), pipe-user-pages-soft).

Root is not held to that limit, and a limit of descriptors would take the sanitizers' pipes as well: a seccomp filter
answers fcntl(F_SETPIPE_SZ) with EPERM, as the kernel would.
"""

import ctypes
import errno
import platform
import struct

F_SETPIPE_SZ = 1031
_FCNTL = {"x86_64": 72, "aarch64": 25}
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NUMBER, _SECOND_ARGUMENT = 0, 24  # offsets in struct seccomp_data


class _Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def deny_pipes() -> None:
    """For this process and its children, for good; called between fork and exec."""
    steps = b"".join(struct.pack("HBBI", *step) for step in (
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_EQUAL, 0, 3, _FCNTL[platform.machine()]),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_JUMP_EQUAL, 0, 1, F_SETPIPE_SZ),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW)))
    program = _Program(len(steps) // 8, steps)
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "seccomp")

"""Keeps the memory of the process out of files and out of other processes' reach."""

import ctypes
import faulthandler
import os
import resource
import sys
from typing import Final

from yarl import _url

_PR_SET_DUMPABLE: Final = 4
_PR_GET_DUMPABLE: Final = 3

# yarl's caches of whole addresses: the last 128 of each, queries of requests included.
_REMEMBERED_URLS: Final = ("encode_url", "pre_encoded_url", "build_pre_encoded_url", "from_parts")


class HardeningError(Exception):
    """The system refused a protection that the policy promises."""


def harden_process() -> None:
    """No core dumps, no attached debugger of the same user, files for the owner only, no memory of past requests.

    Raises HardeningError if the system refuses. Not to be undone: the limits are those of the process.
    """
    os.umask(0o077)
    faulthandler.disable()
    for name in _REMEMBERED_URLS:
        remembering = getattr(_url, name)
        setattr(_url, name, getattr(remembering, "__wrapped__", remembering))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A core pattern that pipes to a program ignores the limit above; an undumpable process is left alone.
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise HardeningError("the system does not let this process switch core dumps off")

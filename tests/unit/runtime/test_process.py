import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, faulthandler, os, resource
from crouter.runtime.process import harden_process
faulthandler.enable()
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
harden_process()
print(resource.getrlimit(resource.RLIMIT_CORE), faulthandler.is_enabled(), oct(os.umask(0)))
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


REMEMBERS = """
import gc
from crouter.runtime.process import harden_process
from yarl import URL
import sys
if "hardened" in sys.argv:
    harden_process()
word = "canary" + str(7)
URL("http://127.0.0.1/v1/messages?x=" + word, encoded=True)
URL("http://127.0.0.1/v1/messages?x=" + word)
del word
gc.collect()
held = [found for found in gc.get_objects() if type(found).__name__ == "URL" and "canary7" in str(found)]
print(len(held))
"""


@pytest.mark.claim("exclude-retention")
@pytest.mark.parametrize(("argument", "is_held"), [("hardened", False), ("as it comes", True)])
def test_exclude_retention__an_address_is_not_remembered_after_its_use(argument: str, is_held: bool) -> None:
    told = subprocess.run([sys.executable, "-c", REMEMBERS, argument], check=True, capture_output=True, text=True)
    assert (int(told.stdout) > 0) is is_held


@pytest.mark.claim("exclude-content", by="no_core_dumps")
@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_exclude_content__a_hardened_process_leaves_no_core_and_prints_no_stack() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    assert told.splitlines() == ["(0, 0) False 0o77", "0"]

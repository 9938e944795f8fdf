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


@pytest.mark.claim("exclude-content", by="no_core_dumps")
@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_exclude_content__a_hardened_process_leaves_no_core_and_prints_no_stack() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    assert told.splitlines() == ["(0, 0) False 0o77", "0"]

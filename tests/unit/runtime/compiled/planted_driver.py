"""Stands in for the compiler, which takes half a minute: writes an empty file for each module, or does what it is told.

`python -m tests.unit.runtime.compiled.planted_driver MADE`, with CROUTER_PLANTED=fail, part, slow or touch.
"""

import os
import sys
import time
from pathlib import Path

from crouter.runtime.compiled.modules import MODULES, SHARED, file_of


def main(made: Path) -> None:
    """Writes what a compilation consists of."""
    planted = os.environ.get("CROUTER_PLANTED", "")
    if planted == "fail":
        sys.stdout.write("".join(f"line {number}\n" for number in range(100)))
        sys.exit("crouter/runtime/usage.py:7: error: planted")
    if planted == "slow":
        time.sleep(0.5)
    if planted == "touch":
        Path("crouter", "runtime", "made_meanwhile.py").touch()
    for name in (SHARED, *MODULES)[: 3 if planted == "part" else None]:
        file = made / file_of(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(os.getpid()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

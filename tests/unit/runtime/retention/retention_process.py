"""The retention process of what was generated in a folder.

Usage: retention_process.py FOLDER [ARGUMENT ...]
"""

import sys
from pathlib import Path

from crouter.runtime.work import work
from tests.unit.runtime.retention.databases import declared_in

if __name__ == "__main__":
    generated = Path(sys.argv.pop(1))
    sys.exit(work(declared_in(generated).deployment, generated))

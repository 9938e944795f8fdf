"""One ground for all scenarios, and one seed, which is printed."""

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.ground import Ground, prepared


@pytest.fixture(scope="session")
def torture_seed() -> int:
    """Of all random choices; CROUTER_SEED repeats one."""
    return int(os.environ.get("CROUTER_SEED") or random.SystemRandom().getrandbits(32))


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    # Not below pytest's own folder: the path of the database's socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="crouter-torture-"))
    try:
        with prepared(folder) as ground:
            yield ground
    finally:
        shutil.rmtree(folder)

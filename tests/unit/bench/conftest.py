"""What is compiled for a measurement needs a compiler; where there is none, its tests say so and are skipped."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def compiler() -> None:
    if shutil.which(os.environ.get("CC", "cc")) is None:
        pytest.skip("NO C COMPILER: the bench's load and upstream were not tested (Debian: gcc)")

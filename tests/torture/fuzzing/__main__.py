"""Fuzzes every reader of foreign bytes with atheris: python -m tests.torture.fuzzing [--seconds N] [--seed N]."""

import argparse
import importlib.util
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.torture.fuzzing.targets import TARGETS

INPUT_BYTES_MAX = 4096


def main() -> int:
    """Gives 0 if nothing was found or atheris is missing, 1 if something was found; its input is left behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.fuzzing", description=__doc__)
    parser.add_argument("--target", action="append", choices=TARGETS, help="only this one; may be given again")
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    parser.add_argument("--seed", type=int, help="printed when it is not given")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write("fuzzing: SKIPPED, ATHERIS IS NOT INSTALLED\n")
        return 0
    seed = random.SystemRandom().getrandbits(31) if options.seed is None else options.seed
    found = [name for name in options.target or TARGETS if not _holds(name, options.seconds, seed)]
    sys.stdout.write(f"fuzzing: {f'found something in {found}' if found else 'nothing was found'}, seed {seed}\n")
    return 1 if found else 0


def _holds(name: str, seconds: int, seed: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="crouter-fuzzing-") as corpus:
        Path(corpus, "good").write_bytes(TARGETS[name][1])
        crash = Path(tempfile.gettempdir(), f"crouter-fuzzing-{name}-{seed}-")
        options = (f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={INPUT_BYTES_MAX}", "-verbosity=0")
        sys.stdout.write(f"fuzzing {name}: {seconds} s, seed {seed}\n")
        sys.stdout.flush()
        done = subprocess.run(
            [sys.executable, "-m", "tests.torture.fuzzing.child", name, *options, f"-artifact_prefix={crash}", corpus],
            check=False,
        )
    if done.returncode:
        sys.stdout.write(f"fuzzing {name}: replay with python -m tests.torture.fuzzing.child {name} {crash}*\n")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())

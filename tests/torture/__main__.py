"""Plays scenarios at length: python -m tests.torture [--scenario NAME] [--seed N] [--short] [--list]."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from tests.torture.catalogue import SCENARIOS
from tests.torture.ground import Ground, prepared
from tests.torture.scenario import Scenario, play
from tests.torture.world import DifferError


def main() -> int:
    """Gives 0 if everything held, 1 if something did not, 2 if nothing was played."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--scenario", action="append", default=[], help="only this one; may be given again")
    parser.add_argument("--seed", type=int, help="of all random choices; printed when it is not given")
    parser.add_argument("--short", action="store_true", help="as little of everything as `make test` plays")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    options = parser.parse_args()
    chosen = [scenario for scenario in SCENARIOS if not options.scenario or scenario.name in options.scenario]
    if options.list:
        _say("\n".join(scenario.name for scenario in SCENARIOS))
        return 0
    if not chosen or len(chosen) < len(options.scenario):
        _say("no scenario has that name; --list names them all")
        return 2
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="crouter-torture-"))
    _say(f"seed {seed}; logs in {folder} until the end")
    try:
        with prepared(folder) as ground:
            failed = _played(chosen, ground, seed, long=not options.short)
    finally:
        shutil.rmtree(folder)
    _say(f"{len(chosen) - len(failed)} of {len(chosen)} held" + (f"; not: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def _played(chosen: Iterable[Scenario], ground: Ground, seed: int, *, long: bool) -> list[str]:
    failed = []
    for scenario in chosen:
        if scenario.missing:
            _say(f"{scenario.name}: SKIPPED, THIS MACHINE LACKS {', '.join(scenario.missing)}")
            continue
        began = time.monotonic()
        try:
            asyncio.run(play(scenario, ground, seed, long=long))
        except DifferError as error:
            failed.append(scenario.name)
            _say(str(error))
        except Exception:  # noqa: BLE001  the other scenarios are played all the same
            failed.append(scenario.name)
            _say(f"{scenario.name}, seed {seed}: could not be played to its end")
            traceback.print_exc()
        else:
            _say(f"{scenario.name}: held, {time.monotonic() - began:.0f} s")
    return failed


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

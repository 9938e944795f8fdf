"""Measures rendering, cold and warm, over growing policies, and tells the result as text and as plain values."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.figures import Repeated
from bench.rendering.growth import grown, yaml_text
from bench.rendering.stages import Size, Stages, size, timed
from bench.tables import table
from crouter.policy.characters import BYTES_MAX
from crouter.policy.document import read

SIZES = (1, 5, 10, 15)
"""The last is close to the largest file that the language accepts."""
_COLD = "import sys, pathlib; from bench.rendering.stages import once; once(pathlib.Path(sys.argv[1]))"


@dataclass(frozen=True)
class Grown:
    """A policy `times` as large, and the rounds over it."""

    times: int
    size: Size
    rounds: tuple[Stages, ...]

    def stage(self, name: str) -> Repeated | None:
        """Milliseconds of one stage, or of `total`; None for a stage that was not run."""
        values = [getattr(one, name) for one in self.rounds]
        return None if None in values else Repeated(tuple(values))


@dataclass(frozen=True)
class Rendering:
    """Milliseconds of a cold process and of its bare interpreter, and the warm rounds of each size."""

    cold: Repeated
    interpreter: Repeated
    sizes: tuple[Grown, ...]


def measure(policy: Path, *, quick: bool, tell: Callable[[str], None]) -> Rendering:
    """Runs everything. `tell` is given a line of progress. Raises BenchError."""
    rounds = 2 if quick else 5
    tell(f"render: {rounds} cold processes")
    cold = Repeated(tuple(_process("-c", _COLD, str(policy)) for _ in range(rounds)))
    interpreter = Repeated(tuple(_process("-c", "pass") for _ in range(rounds)))
    text = policy.read_text(encoding="utf-8")
    tree = read(text, policy.name).tree
    if not isinstance(tree, dict):
        raise BenchError(f"{policy.name} cannot be read: `crouter check` says why")
    policies = [(times, grown(tree, times)) for times in SIZES]
    texts = [text if times == 1 else yaml_text(larger) for times, larger in policies]
    measured: list[list[Stages]] = [[] for _ in policies]
    # Interleaved, so that a disturbance of the machine meets every size.
    for number in range(rounds):
        tell(f"render: round {number + 1} of {rounds}")
        for (_, larger), larger_text, so_far in zip(policies, texts, measured, strict=True):
            fits = len(larger_text.encode()) <= BYTES_MAX
            so_far.append(timed(larger, larger_text if fits else None))
    return Rendering(
        cold,
        interpreter,
        tuple(
            Grown(times, size(larger, larger_text), tuple(so_far))
            for (times, larger), larger_text, so_far in zip(policies, texts, measured, strict=True)
        ),
    )


def report(result: Rendering) -> str:
    """The result as Markdown."""
    heads = ("policy", "bytes", "categories", "claims", "output", "read", "check", "plan", "render", "growth")
    rows = []
    for smaller, grown_policy in zip((None, *result.sizes), result.sizes, strict=False):
        facts = grown_policy.size
        stages = [_cell(grown_policy.stage(name)) for name in ("read", "check", "plan", "render")]
        rows.append(
            (
                f"×{grown_policy.times}",
                f"{facts.policy_bytes:,}",
                str(facts.categories),
                str(facts.claims),
                f"{facts.output_bytes / 1024:,.0f} KiB",
                *stages,
                "-" if smaller is None else f"{_growth(smaller, grown_policy):.2f}",
            )
        )
    cold, bare = result.cold, result.interpreter
    return (
        f"Cold process, real policy: {cold.median:.0f} ms ({cold.least:.0f} to {cold.most:.0f}), "
        f"of which the bare interpreter takes {bare.median:.0f} ms.\n\n"
        f"Warm, medians of {len(result.sizes[0].rounds)} rounds in milliseconds, least to most in brackets:\n\n"
        f"{table(heads, rows)}\n"
        "`growth` is how much longer check, plan and render take than one line above, over how much larger the policy\n"
        "is: 1.00 is linear, less is better. A file over "
        f"{BYTES_MAX // 1024} KiB is refused by the language, so reading is not\nmeasured there.\n"
    )


def values(result: Rendering) -> dict[str, Any]:
    """The result with every round, for JSON."""
    return asdict(result)


def _growth(smaller: Grown, larger: Grown) -> float:
    return (_without_reading(larger) / _without_reading(smaller)) / (larger.times / smaller.times)


def _without_reading(one: Grown) -> float:
    return Repeated(tuple(stages.check + stages.plan + stages.render for stages in one.rounds)).median


def _cell(stage: Repeated | None) -> str:
    return "-" if stage is None else f"{stage.median:.1f} ({stage.least:.0f}-{stage.most:.0f})"


def _process(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True)  # noqa: S603  our own interpreter
    return (time.perf_counter() - began) * 1000

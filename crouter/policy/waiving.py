"""Findings that somebody accepts: matches waivers with problems, and tells expired and unused ones.

What day it is, is an argument.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from crouter.policy.codes import CODES
from crouter.policy.parts.disclosures import Waiver
from crouter.policy.problems import Positions, Problem


@dataclass(frozen=True, slots=True)
class Waived:
    """A problem and the waiver that accepts it."""

    problem: Problem
    waiver: Waiver


@dataclass(frozen=True, slots=True)
class Sorted:
    """What is left of problems after the waivers; `unused` are the indexes of waivers that matched nothing."""

    problems: tuple[Problem, ...]
    waived: tuple[Waived, ...]
    unused: tuple[int, ...]


def sort_out(problems: Iterable[Problem], waivers: Sequence[Waiver], today: date | None = None) -> Sorted:
    """Take out what is waived. A waiver that has expired before `today` accepts nothing; without a day none has."""
    left: list[Problem] = []
    waived: list[Waived] = []
    used: set[int] = set()
    for problem in problems:
        matching = [index for index, waiver in enumerate(waivers) if _covers(waiver, problem)]
        used.update(matching)
        accepting = [waivers[index] for index in matching if not is_expired(waivers[index], today)]
        if accepting:
            waived.append(Waived(problem, accepting[0]))
        else:
            left.append(problem)
    return Sorted(tuple(left), tuple(waived), tuple(index for index in range(len(waivers)) if index not in used))


def is_expired(waiver: Waiver, today: date | None) -> bool:
    """Whether the last day of a waiver has passed."""
    return today is not None and waiver.expires < today


def problems_of(waivers: Sequence[Waiver], positions: Positions, today: date | None) -> list[Problem]:
    """Waivers of no rule, and expired ones."""
    found: list[Problem] = []
    for index, waiver in enumerate(waivers):
        path = ("waivers", index)
        if waiver.rule not in CODES:
            place, sentence = positions.of_value((*path, "rule")), f"there is no rule {waiver.rule}"
            found.append(Problem("PL-01", "error", place, sentence, "docs/rules.md lists them"))
        if is_expired(waiver, today):
            place = positions.of_value((*path, "expires"))
            sentence = f"the waiver of {waiver.rule} expired on {waiver.expires.isoformat()}"
            hint = "mend what it accepts, or decide again and give it a new day"
            found.append(Problem("PL-03", "error", place, sentence, hint))
    return found


def unused_waivers(
    waivers: Sequence[Waiver], unused: Iterable[int], judged: frozenset[str], positions: Positions
) -> list[Problem]:
    """A problem for each waiver that matched nothing, of the rules that were judged."""
    return [
        Problem(
            "PL-02",
            CODES["PL-02"].severity,
            positions.of_key(("waivers", index)),
            f"{waivers[index].rule} finds nothing at this place",
            "delete the waiver",
        )
        for index in unused
        if waivers[index].rule in judged
    ]


def _covers(waiver: Waiver, problem: Problem) -> bool:
    place = problem.place.policy_path
    return waiver.rule == problem.code and (
        place == waiver.place or place.startswith((f"{waiver.place}.", f"{waiver.place}["))
    )

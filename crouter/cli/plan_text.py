"""How a plan looks: as text with colours for people, as JSON for scripts."""

import re
from typing import Any

from crouter.cli.terminal import Terminal, counted
from crouter.plan.difference import Change, Difference, Said
from crouter.plan.difference.change import Group
from crouter.policy.load import Loaded
from crouter.policy.model import Policy
from crouter.policy.problems import Positions, Problem, as_text

_HEADINGS: dict[Group, str] = {
    "customers": "For customers",
    "processors": "For processors",
    "cookies": "For cookies and consent",
    "code": "For the code",
    "database": "For the database",
    "law": "For the law",
}
_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "reordered": ("~", "yellow")}


def plan_as_json(
    difference: Difference, against: str, loaded: Loaded, problems: tuple[Problem, ...], command: str
) -> dict[str, Any]:
    """The plan as one JSON object."""
    state = "refused" if problems else "different" if difference else "none"
    return {
        "state": state,
        "against": against,
        "significant": bool(difference.significant),
        "asks_again": difference.asks_again,
        "destroys": list(difference.destroys),
        "command": command if difference and not problems else None,
        "problems": [problem.as_json() for problem in (*loaded.problems, *problems)],
        "changes": [_as_json(change, loaded.positions) for change in difference.changes],
    }


def _as_json(change: Change, positions: Positions) -> dict[str, Any]:
    place = positions.of_key(change.path) if change.path else None
    return {
        "id": change.id,
        "group": change.group,
        "kind": change.kind,
        "about": change.about,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "summary": change.summary,
        "weight": change.weight,
        "significant": change.significant,
        "asks_again": change.asks_again,
        "destroys": change.destroys,
        "sentences": [{"claim": item.claim, "before": item.before, "after": item.after} for item in change.said],
    }


class PlanText:
    """Prints one plan. A sentence that several changes touch is printed with the first of them."""

    def __init__(self, terminal: Terminal, positions: Positions) -> None:
        self._terminal = terminal
        self._positions = positions
        self._told: set[str] = set()

    def draw(self, difference: Difference, title: str) -> None:
        """All groups that have changes."""
        if not difference:
            self._terminal.line(f"{title}: no difference")
            return
        significant = len(difference.significant)
        self._terminal.line(f"{title}: {counted(len(difference.changes), 'change')}, {significant} significant", "bold")
        for group, heading in _HEADINGS.items():
            changes = difference.of(group)
            if changes:
                self._terminal.line()
                self._terminal.line(heading, "bold")
            for change in changes:
                self._draw(change)

    def next_steps(
        self, difference: Difference, command: str, still: Policy | None, problems: tuple[Problem, ...]
    ) -> None:
        """What to do about it. `still` is the policy if it names the version that it is compared with."""
        if not difference and not problems:
            return
        self._terminal.line()
        if difference.significant:
            self._terminal.line("Significant: customers have to be told before it takes effect.", "bold yellow")
            if still is not None:
                self._terminal.line(
                    f"  policy.version is still {still.policy.version}: raise it and policy.effective, unless nobody "
                    "has seen that version"
                )
        asks = "asked again" if difference.asks_again else "not asked again"
        self._terminal.line(f"Consent: visitors are {asks}.")
        if problems:
            self._terminal.line("Refused:", "bold red")
            self._terminal.line(as_text(problems).rstrip("\n"))
            return
        if difference.destroys:
            names = ", ".join(difference.destroys)
            self._terminal.line(f"This destroys data for good: {names}", "bold red")
            self._terminal.line(f"If that is meant: {command}")
        else:
            self._terminal.line(f"To apply it: {command}")

    def _draw(self, change: Change) -> None:
        mark, colour = _MARKS[change.kind]
        style = "bold red" if change.destroys is not None else colour
        notes = self._notes(change)
        self._terminal.line(f"  {mark} {change.summary}{notes}", style)
        for said in change.said:
            if said.claim not in self._told:
                self._told.add(said.claim)
                self._draw_sentences(said)

    def _notes(self, change: Change) -> str:
        notes = []
        if change.significant and change.weight:
            notes.append(f"significant: {change.weight.replace('_', ' ')}")
        if change.destroys is not None:
            notes.append("destroys data")
        if change.path:
            place = self._positions.of_key(change.path)
            notes.append(f"{place.file}:{place.line}")
        return f"  ({'; '.join(notes)})" if notes else ""

    def _draw_sentences(self, said: Said) -> None:
        before, after = _sentences(said.before), _sentences(said.after)
        self._terminal.line(f"      {said.claim}", "dim")
        for sentence in before:
            if sentence not in after:
                self._terminal.line(f"      - {sentence}", "red")
        for sentence in after:
            if sentence not in before:
                self._terminal.line(f"      + {sentence}", "green")


def _sentences(text: str | None) -> list[str]:
    return re.split(r"(?<=[.!?]) (?=[A-Z“])", text) if text else []

"""Everything that can be said about a policy: problems, contradictions, what laws want said, wording, waivers.

`load` tells whether a policy can be used; this tells what its author should look at. Reads no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from crouter.policy.code import Profile
from crouter.policy.codes import CODES
from crouter.policy.document import read
from crouter.policy.load import load
from crouter.policy.problems import Problem, in_order
from crouter.policy.rules import ALL_RULES, completeness, contradictions, wording
from crouter.policy.rules.frame import Rule, apply
from crouter.policy.validate import validate
from crouter.policy.waiving import Waived, problems_of, sort_out, unused_waivers

LINT_RULES = (*contradictions.ADVICE, *completeness.RULES, *wording.RULES)
"""Every rule beyond those that `load` applies."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order of the file, and what somebody accepts."""

    file: str
    profiles: tuple[Profile, ...]
    problems: tuple[Problem, ...]
    waived: tuple[Waived, ...]

    @property
    def errors(self) -> int:
        """How many of the problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)


def lint(
    text: str,
    name: str,
    today: date,
    profiles: Sequence[Profile] = (),
    sentence_rules: Iterable[Rule] = (),
) -> Report:
    """Judge a policy. Without `profiles`, those that it names itself count.

    `sentence_rules` need a policy without errors; they come from whoever composes sentences.
    """
    document = read(text, name)
    validated = validate(document)
    dates = validated.parts.get("policy")
    chosen: tuple[Profile, ...] = tuple(profiles) or (dates.profiles if dates is not None else ())
    rules = [rule for rule in (*ALL_RULES, *LINT_RULES) if _applies(rule, chosen)]
    found = [*document.problems, *validated.problems, *apply(rules, validated.parts, document)]
    if load(text, name).policy is not None:
        more = tuple(sentence_rules)
        rules += more
        found += apply(more, validated.parts, document)
    waivers = validated.parts.get("waivers", ())
    sorted_out = sort_out(in_order(found), waivers, today)
    judged = frozenset(rule.code for rule in rules)
    own = problems_of(waivers, document.positions, today)
    own += unused_waivers(waivers, sorted_out.unused, judged, document.positions)
    return Report(name, chosen, in_order((*sorted_out.problems, *own)), sorted_out.waived)


def _applies(rule: Rule, profiles: tuple[Profile, ...]) -> bool:
    wanted = CODES[rule.code].profiles
    return not wanted or bool(set(wanted) & set(profiles))

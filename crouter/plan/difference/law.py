"""What the rules find in one policy and not in the other. A file that is no policy is not planned."""

from collections.abc import Collection, Iterator

from crouter.plan.difference.change import Change
from crouter.policy.model import Policy
from crouter.policy.problems import Path, Problem
from crouter.policy.rules import ALL_RULES

_Found = dict[tuple[str, str], Path]


def law_changes(before: Policy, after: Policy, standing: Collection[Problem]) -> Iterator[Change]:
    """New findings, and findings that are mended. `standing` is what loading the newer policy told."""
    told = {(problem.code, problem.sentence) for problem in standing}
    old, new = _found(before), _found(after)
    for code, sentence in sorted(new.keys() - old.keys()):
        if (code, sentence) in told:
            path = new[code, sentence]
            yield Change("law", "added", path, f"a new finding, {code}: {sentence}", subject=_subject(code, sentence))
    for code, sentence in sorted(old.keys() - new.keys()):
        path = old[code, sentence]
        yield Change("law", "removed", path, f"no longer found, {code}: {sentence}", subject=_subject(code, sentence))


def _found(policy: Policy) -> _Found:
    return {(rule.code, found.sentence): found.path for rule in ALL_RULES for found in rule.check(policy)}


def _subject(code: str, sentence: str) -> str:
    return f"finding {code} {sentence}"

"""What a rule is, and how rules are applied to the parts that are valid.

A rule sees a policy that may lack every part but those it needs, so a mistake in one part does not silence rules about
others. It knows values and their paths, never lines.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from crouter.policy.code import Severity
from crouter.policy.codes import CODES
from crouter.policy.document import Document
from crouter.policy.explain import is_refused
from crouter.policy.model import Policy
from crouter.policy.problems import Path, Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found at a path. `at_key` points to the name of the entry instead of what it holds."""

    path: Path
    sentence: str
    hint: str
    at_key: bool = False


Check: TypeAlias = Callable[[Policy], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that has to hold between values. `needs` are the parts without which it cannot be judged."""

    code: str
    needs: tuple[str, ...]
    check: Check

    @property
    def severity(self) -> Severity:
        """How bad it is, as the code says."""
        return CODES[self.code].severity


def apply(rules: Iterable[Rule], parts: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """The problems that the rules find in the valid parts of a document."""
    # Without validation: what is missing is missing, and no rule that needs it is asked.
    policy = Policy.model_construct(**parts)
    for rule in rules:
        if parts.keys() >= set(rule.needs):
            for finding in rule.check(policy):
                if not is_refused(finding.path, document):
                    yield _problem(rule, finding, document)


def _problem(rule: Rule, finding: Finding, document: Document) -> Problem:
    find = document.positions.of_key if finding.at_key else document.positions.of_value
    return Problem(rule.code, rule.severity, find(finding.path), finding.sentence, finding.hint)

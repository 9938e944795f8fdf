"""docs/rules.md as text: every rule about promises, what a law wants said, wording and waivers, read off the codes."""

from collections.abc import Iterator, Mapping

from crouter.policy.code import Code
from crouter.policy.codes import CODES
from crouter.policy.contradiction_codes import CONTRADICTION_CODES
from crouter.policy.lint_codes import COMPLETENESS_CODES, WAIVER_CODES, WORDING_CODES

_INTRODUCTION = """\
# Rules

<!-- Written by `make generate` from crouter/policy. Do not edit. -->

`crouter check` and `crouter generate` refuse a policy with an error; `crouter lint` lists the warnings too.
`crouter explain PX-05` tells one rule on the command line. The smallest bad policy of each rule is a case below
`tests/cases/problems` (errors) or `tests/cases/findings` (the rest).

Data is matched by meaning, not by name: a small ontology (`crouter/policy/ontology_terms.py`) knows what is part of
what, what can be derived from what, and the words, fideslang keys and DPV terms for it.

A finding that somebody accepts for a time is waived in policy.yaml, and is then listed apart:

```yaml
waivers:
  - rule: PX-21
    place: sources.google_sign_in
    reason: Google gets nothing from us that it does not have
    owner: Ada Lovelace
    expires: 2027-03-31
```

The day after `expires` is an error, and so is a waiver of a rule that does not exist. A waiver that matches nothing is
a warning.
"""

_PARTS: tuple[tuple[str, str, Mapping[str, Code]], ...] = (
    ("Contradictions", "Two parts of the policy that cannot both be true.", CONTRADICTION_CODES),
    (
        "Completeness",
        "What a law wants said. Applied for the profiles chosen; `none` is an answer.",
        COMPLETENESS_CODES,
    ),
    ("Wording", "Words that say less than they seem to.", WORDING_CODES),
    ("Waivers", "Exceptions from these rules.", WAIVER_CODES),
)

ELSEWHERE = {
    "PR-22": "a deletion within a period shorter than grace, job interval and lag",
    "PR-23": "a period shorter than its job's interval and lag",
    "PR-26": "two retention rules for one category",
    "PR-31": "content received by somebody who is not in its way",
    "PR-32": "analytics received by somebody else, or by nobody",
    "PR-34": "one host of two processors",
    "PR-41": "essential storage that waits for consent",
    "PR-52": "something done that no sentence says",
}
"""Contradictions that rules about the structure find already."""


def rules_reference() -> str:
    """The whole document; ends with a line break."""
    lines = [_INTRODUCTION]
    for title, words, codes in _PARTS:
        lines += [f"## {title}", "", words, "", *_of(codes)]
    told = "These contradictions are among the problems in [policy-reference.md](policy-reference.md)."
    lines += ["## Found with the structure", "", told, ""]
    lines += ["| code | finds |", "| --- | --- |", *(f"| `{code}` | {words} |" for code, words in ELSEWHERE.items())]
    return "\n".join(lines) + "\n"


def _of(codes: Mapping[str, Code]) -> Iterator[str]:
    assert codes.keys() <= CODES.keys()
    for name, code in codes.items():
        profiles = f", for {', '.join(code.profiles)}" if code.profiles else ""
        source = f" Source: {code.source}." if code.source else ""
        yield from (f"### {name}", "", f"**{code.title}** ({code.severity}{profiles}). {code.explanation}{source}", "")

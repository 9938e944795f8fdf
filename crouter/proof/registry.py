"""Which tests prove which mechanism for which kind of sentence: the proofs that the library brings along.

`registry.json` is made from the library's own tests (`crouter generate` in its source tree renews it) and is part of
the package, so that a policy elsewhere can be checked where no tests are.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import Claim, Policy
from crouter.policy.rules.claims import placed_claims
from crouter.proof.collect import WHOLE, MarkedTest

FILE: Final = Path(__file__).with_name("registry.json")


@dataclass(frozen=True, slots=True)
class ProvingTest:
    """A test that proves a claim of the library's own policy; `line` is 0 where the test itself is not at hand.

    `says` and `about` are the claim's; `by` are the mechanisms that the test is about.
    """

    file: str
    name: str
    digest: str
    claim: str
    says: str
    about: str
    by: tuple[str, ...]
    line: int = 0

    @property
    def id(self) -> str:
        """The test as pytest names it, without parameters."""
        return f"{self.file}::{self.name}"


@dataclass(frozen=True, slots=True)
class Registry:
    """All proofs. A sentence is proven by the tests of its own id, or else by those of its kind."""

    tests: tuple[ProvingTest, ...]

    def for_claim(self, name: str, claim: Claim) -> tuple[ProvingTest, ...]:
        """The tests of a claim: those of the claim itself where it is one of ours, else all of its kind."""
        kind = [test for test in self.tests if test.says == claim.says]
        own = [test for test in kind if (test.claim, test.about) == (name, claim.about)]
        return tuple(own or kind)

    def for_mechanism(self, name: str, claim: Claim, mechanism: str) -> tuple[ProvingTest, ...]:
        """Those of the claim's tests that are about one of its mechanisms."""
        own = [test for test in self.for_claim(name, claim) if mechanism in test.by]
        # Where a claim of ours gains a mechanism, the tests of other sentences of its kind may know it already.
        return tuple(own or [test for test in self.tests if test.says == claim.says and mechanism in test.by])


def shipped() -> Registry:
    """The proofs that came with the library."""
    return parsed(FILE.read_text(encoding="utf-8"))


def parsed(text: str) -> Registry:
    """A registry from its JSON."""
    entries = json.loads(text)["tests"]
    return Registry(tuple(ProvingTest(**{**entry, "by": tuple(entry["by"])}) for entry in entries))


def made(policy: Policy, marked: Iterable[MarkedTest]) -> Registry:
    """The registry of a project: its tests, with what the claims that they name say. Unknown claims are left out."""
    claims = {placed.name: placed.claim for placed in placed_claims(policy)}
    return Registry(
        tuple(
            ProvingTest(
                file=test.file,
                name=test.name,
                digest=test.digest,
                claim=test.claim,
                says=claims[test.claim].says,
                about=claims[test.claim].about,
                by=_mechanisms(claims[test.claim], test),
                line=test.line,
            )
            for test in marked
            if test.claim in claims
        )
    )


def written(registry: Registry) -> str:
    """The text of registry.json. Lines are left out: they move with every edit above a test."""
    entries = [{key: value for key, value in asdict(test).items() if key != "line"} for test in registry.tests]
    return json.dumps({"tests": sorted(entries, key=_order)}, ensure_ascii=False, indent=1) + "\n"


def _order(entry: dict[str, str]) -> tuple[str, str, str]:
    return entry["file"], entry["name"], entry["claim"]


def _mechanisms(claim: Claim, test: MarkedTest) -> tuple[str, ...]:
    by = claim.enforced_by if WHOLE in test.by else test.by
    return tuple(name for name in MECHANISMS if name in by and name in claim.enforced_by)

"""docs/policy-reference.md is what the models say."""

import re

from crouter.policy.codes import CODES
from crouter.policy.forms import PartForm
from crouter.policy.language import language
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.reference import policy_reference
from tests.unit.policy.test_load import ROOT


def test_the_reference_is_in_step() -> None:
    written = (ROOT / "docs" / "policy-reference.md").read_text(encoding="utf-8")
    assert written == policy_reference(), "docs/policy-reference.md is not in step: run `make generate`"


def test_every_part_code_and_mechanism_is_in_it() -> None:
    text = policy_reference()
    for key in language().keys.values():
        assert f"| `{key.name}` |" in text
        if isinstance(key.form, PartForm):
            assert f"\n## {key.name}\n" in text
    for name in (*CODES, *MECHANISMS):
        assert f"| `{name}` |" in text


def test_it_is_plain_markdown() -> None:
    text = policy_reference()
    assert text.endswith("|\n")
    assert not text.endswith("\n\n")
    for line in text.splitlines():
        assert line == line.rstrip()
        if line.startswith("|"):
            assert re.fullmatch(r"\|( [^|]*( |\\\|[^|]*)\|)+", line.replace("|  |", "| - |")), line


def test_every_key_says_what_it_means() -> None:
    assert "|  |\n" not in policy_reference()

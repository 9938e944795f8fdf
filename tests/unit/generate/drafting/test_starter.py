"""A first policy is valid whatever the answers were, and says what was answered."""

from dataclasses import replace
from datetime import date

import pytest
import yaml

from crouter.generate.drafting.answers import RIGHTS, Answers, unfit
from crouter.generate.drafting.starter import placed, starter_text
from crouter.generate.drafting.vendors import VENDORS
from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.generate.templates import Templates
from crouter.policy.load import load
from crouter.policy.model import Policy

ANSWERS = Answers(
    name="Acme",
    url="https://acme.example",
    contact="privacy@acme.example",
    controller="Acme Ltd",
    effective=date(2026, 3, 4),
)
HOSTILE = ('"; x: {y} #', "a: b", "- [x]", "\\n \\x00 \\", "no", "0123", "{{ 7*7 }} {% raw %}", "*a &b !c", "'")


def loaded(answers: Answers) -> Policy:
    result = load(starter_text(answers, Templates()))
    assert result.policy is not None, result.problems
    return result.policy


@pytest.mark.parametrize("vendor", [None, *placed(VENDORS)], ids=lambda vendor: vendor.name if vendor else "none")
def test_a_first_policy_loads_and_renders(vendor: object) -> None:
    vendors = tuple(item for item in VENDORS if item is vendor)
    policy = loaded(replace(ANSWERS, vendors=vendors))
    assert set(policy.processors) == {"anthropic", *(item.name for item in vendors)}
    assert "policy/privacy-policy.html" in render_all(policy, History.empty())


def test_all_vendors_and_rights_together_load() -> None:
    policy = loaded(replace(ANSWERS, vendors=VENDORS, rights=tuple(RIGHTS)))
    assert {item.name for item in placed(VENDORS)} == set(policy.processors)
    assert set(policy.rights) == set(RIGHTS)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_answers_stay_data(text: str) -> None:
    answers = replace(ANSWERS, name=text, controller=text, office=text, description=text)
    assert unfit(answers) == {}
    policy = loaded(answers)
    assert (policy.service.name, policy.controller.name, policy.controller.office) == (text, text, text)
    calm = yaml.safe_load(starter_text(ANSWERS, Templates()))
    loud = yaml.safe_load(starter_text(answers, Templates()))
    assert {key: value for key, value in loud.items() if key not in ("service", "controller")} == {
        key: value for key, value in calm.items() if key not in ("service", "controller")
    }


@pytest.mark.parametrize("within", ["P1D", "P3D", "P10D", "P1M", "P1Y"])
def test_any_time_for_a_deletion_leaves_time_for_its_job(within: str) -> None:
    assert loaded(replace(ANSWERS, deletion_within=within)).retention["deletion"].of


def test_answers_that_the_language_does_not_take_are_named() -> None:
    wrong = replace(ANSWERS, name="a\nb", url="http://acme.example", contact="acme", usage_keep="a year", office="")
    assert set(unfit(wrong)) == {"name", "url", "contact", "usage_keep", "office"}


def test_every_part_of_the_file_has_a_comment_for_a_newcomer() -> None:
    lines = starter_text(ANSWERS, Templates()).splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line[:1].isalpha() and line.endswith(":") and not before.startswith("#")
    ]
    # These are read with the part above them, or speak for themselves.
    assert set(bare) <= {"service:", "policy:", "metrics:", "consent:", "security:"}


def test_the_real_policy_and_a_first_one_use_the_same_keys() -> None:
    first = yaml.safe_load(starter_text(replace(ANSWERS, vendors=VENDORS), Templates()))
    assert set(first) == set(Policy.model_fields) - {"storage", "mail", "disclosures", "waivers"}

"""Claims find what they are about, by the short form of a path and by the whole one."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crouter.plan.sentences.topic import topic_of
from crouter.policy.model import Claim, Policy

Edit = Callable[[Mapping[str, Any]], Policy]


@pytest.mark.parametrize(
    ("about", "path"),
    [
        ("data.account.email", "data.account.fields.email"),
        ("data.account.fields.email", "data.account.fields.email"),
        ("data.account", "data.account"),
        ("never.content.not", "never.content.not"),
        ("sections.0.title", "sections.0.title"),
        ("policy.changes.acceptance", "policy.changes.acceptance"),
    ],
)
def test_a_path_leads_to_its_part(edit: Edit, about: str, path: str) -> None:
    policy = edit({})
    assert topic_of(policy, Claim(says="collects", about=about)).path == path


@pytest.mark.parametrize("about", ["data.nothing", "nothing", "controller.contact.more", "never.content.not_"])
def test_a_path_to_nowhere_is_our_bug_because_the_rules_refuse_it(edit: Edit, about: str) -> None:
    with pytest.raises(AssertionError):
        topic_of(edit({}), Claim(says="collects", about=about))

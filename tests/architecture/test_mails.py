"""Every mail that the policy speaks of is sent somewhere: one that nobody sends would be an untrue line."""

import ast
from collections.abc import Iterable

from crouter.policy.mails import MAILS
from tests.architecture.conftest import Plant
from tests.architecture.rules.source import ROOT, Module, modules


def unsent(sources: Iterable[Module], mails: Iterable[str]) -> set[str]:
    """The mails whose names stand in no code of the runtime."""
    words = {
        node.value
        for module in sources
        if module.within("crouter.runtime")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return set(mails) - words


def test_every_mail_is_sent_by_somebody() -> None:
    assert unsent(modules(ROOT, "crouter"), MAILS) == set()


def test_a_mail_that_nobody_sends_is_found(plant: Plant) -> None:
    folder = plant("crouter/plan/planted.py", '"""Planted."""\n\nMAIL = "birthday"')
    assert unsent(modules(folder, "crouter"), [*MAILS, "birthday"]) == {"birthday"}

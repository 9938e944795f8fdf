"""The link to the page one is on is marked, and nobody is offered what is not theirs."""

import uuid

import pytest

from crouter.runtime.server.site.navigation import navigation
from crouter.runtime.server.site.visitor import Visitor

CUSTOMER = Visitor(uuid.uuid4(), uuid.uuid4(), "token")
OPERATOR = Visitor(uuid.uuid4(), uuid.uuid4(), "token", is_operator=True)


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/dashboard", ["Dashboard"]),
        ("/dashboard/usage", ["Usage"]),
        ("/dashboard/keys/1", ["Keys"]),
        ("/dashboard/unknown", ["Dashboard"]),
        ("/privacy/history/1.0", ["Privacy"]),
        ("/pricing", ["Pricing"]),
        ("/pricings", []),
        ("/", []),
    ],
)
def test_one_link_at_most_is_current(path: str, current: list[str]) -> None:
    links = navigation(path, CUSTOMER)
    assert [link.label for link in (*links.main, *links.account) if link.is_current] == current


def test_administration_is_for_operators() -> None:
    assert "Administration" not in {link.label for link in navigation("/", CUSTOMER).account}
    assert "Administration" in {link.label for link in navigation("/", OPERATOR).account}

"""What the library needs for payments is what policy.yaml declares, so the tests beside this one run on just that."""

import pytest

from crouter.policy.books import ACCOUNTS
from crouter.policy.needs import NEEDED_TABLES
from tests.unit.runtime.retention.databases import Declared

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


@pytest.mark.parametrize("name", ["book", "payment", "refund", "payment_profile", "payment_event"])
def test_the_declared_columns_are_the_needed_ones(declared: Declared, name: str) -> None:
    assert set(declared.deployment.record(name).field_names) == NEEDED_TABLES[name].columns.keys()


def test_both_sides_of_the_book_name_the_same_accounts(declared: Declared) -> None:
    book = declared.deployment.record("book")
    assert set(book.field("debit").values) == set(book.field("credit").values) == set(ACCOUNTS)

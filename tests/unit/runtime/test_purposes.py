import pytest

from crouter.contract.data import Field, Record
from crouter.runtime.purposes import PurposeRefusedError, owner_field, require_purpose
from tests.unit.runtime.declarations import USAGE

ACCOUNT = Record(
    name="account",
    label="account data",
    policy_path="data.account",
    key="id",
    fields=(
        Field("id", "uuid", "id", "data.account.id"),
        Field(
            "email",
            "email",
            "email address",
            "data.account.email",
            personal=True,
            purposes=("authentication", "billing_notices", "service_updates"),
        ),
    ),
)


@pytest.mark.claim("use-usage")
def test_use_usage__a_declared_purpose_may_read_and_any_other_may_not() -> None:
    require_purpose(USAGE, ("id", "model", "input_tokens"), "billing")
    for purpose in ("marketing", "improvement", "Billing", ""):
        with pytest.raises(PurposeRefusedError):
            require_purpose(USAGE, ("id", "model"), purpose)


def test_technical_fields_need_no_purpose_and_undeclared_ones_do_not_exist() -> None:
    require_purpose(USAGE, ("id", "account_id"), "anything")
    with pytest.raises(PurposeRefusedError):
        require_purpose(USAGE, ("prompt",), "billing")


def test_the_owner_of_a_row_is_found_by_its_reference() -> None:
    assert owner_field(USAGE) == "account_id"


@pytest.mark.claim("use-email")
def test_use_email__the_address_is_read_for_what_was_said_and_for_nothing_else() -> None:
    for purpose in ("authentication", "billing_notices", "service_updates"):
        require_purpose(ACCOUNT, ("id", "email"), purpose)
    for purpose in ("marketing", "newsletter", "improvement", "billing"):
        with pytest.raises(PurposeRefusedError):
            require_purpose(ACCOUNT, ("email",), purpose)

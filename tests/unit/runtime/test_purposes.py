import pytest

from crouter.runtime.purposes import PurposeRefusedError, owner_field, require_purpose
from tests.unit.runtime.declarations import USAGE


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

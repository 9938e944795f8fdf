from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.proxy.overload import RETRY_AFTER_SECONDS_MAX, Admission, Entered, Overloaded


def test_up_to_its_bounds_requests_enter_and_then_they_are_told_when_to_come_back() -> None:
    admission = Admission(whole_max=3, account_max=2)
    first, second = admission.try_enter("a"), admission.try_enter("a")
    third = admission.try_enter("a")
    assert isinstance(third, Overloaded)
    assert third.of_account
    assert isinstance(admission.try_enter("b"), Entered)
    whole = admission.try_enter("c")
    assert isinstance(whole, Overloaded)
    assert not whole.of_account
    assert isinstance(first, Entered)
    assert isinstance(second, Entered)
    first.close()
    assert isinstance(admission.try_enter("c"), Entered)


def test_those_refused_together_are_not_told_the_same() -> None:
    admission = Admission(1, 1)
    admission.try_enter("a")
    told = {found.retry_after_seconds for _ in range(20) if isinstance(found := admission.try_enter("b"), Overloaded)}
    assert told == set(range(1, RETRY_AFTER_SECONDS_MAX + 1))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 9)), max_size=80))
def test_counts_never_leak_whatever_is_closed_in_whatever_order_and_how_often(
    steps: list[tuple[str, bool, int]],
) -> None:
    admission, entered = Admission(5, 3), list[tuple[str, Entered]]()
    for account, enters, index in steps:
        if enters:
            found = admission.try_enter(account)
            of_account = sum(name == account for name, _ in entered)
            assert isinstance(found, Entered) is (len(entered) < 5 and of_account < 3)
            if isinstance(found, Entered):
                entered.append((account, found))
        elif entered:
            _, place = entered.pop(index % len(entered))
            place.close()
            place.close()
        assert admission.under_way == len(entered)
    for _, place in entered:
        place.close()
    assert admission.under_way == 0
    assert admission._accounts == {}

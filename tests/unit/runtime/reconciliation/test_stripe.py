"""Movements at Stripe beside those in the books: a cent is found, and what is only late is not an alarm."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from crouter.runtime.payments.processor import BalanceTransaction
from crouter.runtime.reconciliation.figure import Figure
from crouter.runtime.reconciliation.stripe import Booked, Sums, compared_movements, moved_at_stripe

DAY = date(2026, 11, 20)
NEXT = DAY + timedelta(days=1)
CENT = 10**7


def transaction(category: str, cents: int, fee: int = 0, day: date = DAY, currency: str = "usd") -> BalanceTransaction:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return BalanceTransaction("txn_1", category, category, cents, fee, cents - fee, currency, "ch_1", at)


def booked(sums: Mapping[tuple[date, str], int], on_its_way: int = 0, fees_at_most: int = 0) -> Booked:
    return Booked({key: cents * CENT for key, cents in sums.items()}, on_its_way * CENT, fees_at_most * CENT)


def moved(*transactions: BalanceTransaction) -> Sums:
    return moved_at_stripe(transactions, DAY, NEXT)


def states(figures: tuple[Figure, ...]) -> dict[tuple[date, str], str]:
    return {(figure.day, figure.subject): figure.state for figure in figures}


def test_equal_books_agree() -> None:
    ours = booked({(DAY, "top-ups"): 2500, (DAY, "fees"): 103, (DAY, "refunds"): 500, (DAY, "disputes"): 1000})
    theirs = moved(transaction("charge", 2500, 103), transaction("refund", -500), transaction("dispute", -1000))
    assert set(states(compared_movements(ours, theirs)).values()) == {"agrees"}


@pytest.mark.parametrize("cents", [-1, 1])
def test_one_cent_is_found(cents: int) -> None:
    figures = compared_movements(booked({(DAY, "top-ups"): 2500}), moved(transaction("charge", 2500 + cents)))
    (wrong,) = figures
    assert (wrong.state, wrong.unexplained) == ("unexplained", cents * CENT)


def test_what_is_booked_a_day_later_is_explained_and_a_cent_behind_it_is_not() -> None:
    ours = booked({(NEXT, "top-ups"): 2500})
    assert set(states(compared_movements(ours, moved(transaction("charge", 2500)))).values()) == {"explained"}
    found = compared_movements(ours, moved(transaction("charge", 2501)))
    assert sum(figure.unexplained for figure in found) == CENT


def test_a_payment_whose_news_has_not_come_explains_so_much_and_no_more() -> None:
    theirs = moved(transaction("charge", 2500), transaction("charge", 700, day=NEXT))
    found = compared_movements(booked({}, on_its_way=2500), theirs)
    assert states(found) == {(DAY, "top-ups"): "explained", (NEXT, "top-ups"): "unexplained"}


def test_a_fee_that_is_not_known_yet_explains_at_most_what_a_fee_can_be() -> None:
    theirs = moved(transaction("charge", 2500, 103))
    ours = {(DAY, "top-ups"): 2500}
    assert states(compared_movements(booked(ours, fees_at_most=350), theirs))[DAY, "fees"] == "explained"
    assert states(compared_movements(booked(ours, fees_at_most=100), theirs))[DAY, "fees"] == "unexplained"


def test_what_goes_to_the_operators_bank_is_nobodys() -> None:
    (figure,) = compared_movements(booked({}), moved(transaction("payout", -9000)))
    assert (figure.state, figure.causes) == ("explained", {"not_ours": 9000 * CENT})


@pytest.mark.parametrize(("category", "currency"), [("something_new", "usd"), ("charge", "eur")])
def test_what_is_not_understood_is_an_alarm(category: str, currency: str) -> None:
    (figure,) = compared_movements(booked({}), moved(transaction(category, 1, currency=currency)))
    assert (figure.state, figure.subject.startswith("other: ")) == ("unexplained", True)


def test_money_that_comes_back_is_never_taken_for_money_that_goes() -> None:
    ours = booked({(DAY, "refunds"): 500})
    found = compared_movements(ours, moved(transaction("refund_failure", 500)))
    assert states(found) == {(DAY, "refunds"): "unexplained", (DAY, "refunds returned"): "unexplained"}


def test_other_days_do_not_count() -> None:
    assert moved(transaction("charge", 1, day=DAY - timedelta(days=1))) == {}

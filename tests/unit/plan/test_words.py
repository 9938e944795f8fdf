"""English for lists, durations and dates."""

from datetime import date

import pytest

from crouter.plan.words import (
    capitalised,
    counted,
    date_words,
    duration_words,
    frequency_words,
    has_determiner,
    identifier_words,
    joined,
)
from crouter.policy.types import Duration


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (["name"], "name"),
        (["name", "phone"], "name and phone"),
        (["name", "phone", "city"], "name, phone and city"),
        (["images and files", "outputs"], "images and files, and outputs"),
        (["prompts", "images and files", "outputs"], "prompts, images and files, and outputs"),
        (["Paris, France", "Rome"], "Paris, France; and Rome"),
        (["a; b", "c", "d"], "a; b; c; and d"),
        (["a brand", "sandals"], "a brand and sandals"),
    ],
)
def test_a_list_shows_where_each_item_ends(items: list[str], words: str) -> None:
    assert joined(items) == words


def test_a_list_can_offer_alternatives() -> None:
    assert joined(["store", "log", "retain"], "or") == "store, log or retain"


def test_a_list_of_nothing_is_our_bug() -> None:
    with pytest.raises(AssertionError):
        joined([])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P12M", "12 months"),
        ("P1M", "1 month"),
        ("P1Y", "1 year"),
        ("P1Y6M", "1 year and 6 months"),
        ("P30D", "30 days"),
        ("P1D", "1 day"),
        ("P2W", "2 weeks"),
        ("PT6H", "6 hours"),
        ("PT1M", "1 minute"),
        ("P1Y0M", "1 year"),
        ("P1Y2M3DT4H5M6S", "1 year, 2 months, 3 days, 4 hours, 5 minutes and 6 seconds"),
        ("P1MT1M", "1 month and 1 minute"),
    ],
)
def test_a_duration_is_said_in_the_units_it_is_written_in(text: str, words: str) -> None:
    assert duration_words(Duration.parse(text)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [("PT1H", "every hour"), ("P1D", "every day"), ("PT6H", "every 6 hours"), ("P1DT12H", "every 1 day and 12 hours")],
)
def test_a_frequency_is_said_as_every(text: str, words: str) -> None:
    assert frequency_words(Duration.parse(text)) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2025, 1, 5), "January 5, 2025"),
        (date(2024, 2, 29), "February 29, 2024"),
        (date(999, 12, 31), "December 31, 999"),
    ],
)
def test_a_date_is_said_month_first(day: date, words: str) -> None:
    assert date_words(day) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_only_one_is_singular(number: int, words: str) -> None:
    assert counted(number, "day") == words


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("the API key", True),
        ("Your name", True),
        ("a copy", True),
        ("name", False),
        ("the", False),
        ("theory of all", False),
    ],
)
def test_a_determiner_is_recognised(text: str, has: bool) -> None:
    assert has_determiner(text) is has


def test_only_the_first_letter_is_raised() -> None:
    assert capitalised("we use iOS") == "We use iOS"
    assert capitalised("") == ""


def test_an_identifier_is_said_without_underscores() -> None:
    assert identifier_words("top_up") == "top up"

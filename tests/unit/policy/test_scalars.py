"""Unquoted scalars: typed, text, or refused because readers disagree."""

from datetime import date

import pytest
import yaml

from crouter.policy.scalars import Scalar, read_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("0", 0),
        ("17", 17),
        ("-17", -17),
        ("999999999999999", 999_999_999_999_999),
        ("2024-02-29", date(2024, 2, 29)),
        ("text", "text"),
        ("two words", "two words"),
        ("P30D", "P30D"),
        ("1.2.3", "1.2.3"),
        ("v1", "v1"),
        ("/v1/messages", "/v1/messages"),
        ("12 months", "12 months"),
        ("x-*", "x-*"),
        ("127.0.0.1", "127.0.0.1"),
        ("nothing", "nothing"),
        ("٣", "٣"),
    ],
)
def test_what_every_reader_agrees_on_is_taken(text: str, value: Scalar) -> None:
    read, refusal = read_plain(text)
    assert refusal is None
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_no_value(text: str) -> None:
    _, refusal = read_plain(text)
    assert refusal is not None
    assert refusal.code == "PY-17"


OF_WORDS = """
    y Y n N yes Yes YES no No NO on On ON off Off OFF True TRUE False FALSE =
""".split()  # noqa: SIM905
OF_NUMBERS = """
    0123 0777 08 00 -012 0o17 0O17 0x1f 0X1F 0b101 1_000 +1 -0 1e3 1E3 1.0 1. .5 -1.5 1.5e-3 6.8523015e+5
    12:30:45 12:30 190:20:30 1:2.5 .inf .Inf -.INF .nan .NaN
""".split()  # noqa: SIM905
OF_TIME = [
    "2025-1-5",
    "2025-01-05T10:00:00Z",
    "2025-01-05t10:00:00",
    "2025-01-05 10:00:00",
    "2001-12-14 21:59:43.10 -5",
]


@pytest.mark.parametrize("text", [*OF_WORDS, *OF_NUMBERS, *OF_TIME])
def test_what_readers_disagree_on_is_refused_with_the_quoted_form(text: str) -> None:
    _, refusal = read_plain(text)
    assert refusal is not None
    assert refusal.code == "PY-18"
    assert f'"{text}"' in refusal.hint or text == "-0"


@pytest.mark.parametrize("text", ["2025-02-29", "2025-13-01", "2025-00-10", "0000-01-01"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    _, refusal = read_plain(text)
    assert refusal is not None
    assert refusal.code == "PY-20"


@pytest.mark.parametrize("digits", [16, 100, 5000, 200_000])
def test_a_number_has_at_most_15_digits(digits: int) -> None:
    for text in ("9" * digits, "-" + "9" * digits):
        _, refusal = read_plain(text)
        assert refusal is not None
        assert refusal.code == "PY-19"
        assert len(refusal.sentence) < 100


OF_NOTHING_BUT_TEXT = """
    a P12M 1.2.3 1,000 0x 0xg 1e e3 1_ _1 + . .. 1-2 -a 0b2 0o8 --1 1..2 +.5 -.e1 infinity nan Null0
""".split()  # noqa: SIM905


def test_what_is_taken_as_text_is_text_to_pyyaml_too() -> None:
    for word in (*OF_WORDS, *OF_NUMBERS, *OF_NOTHING_BUT_TEXT):
        value, refusal = read_plain(word)
        if refusal is None and isinstance(value, str):
            assert yaml.safe_load(f"- {word}\n") == [word]

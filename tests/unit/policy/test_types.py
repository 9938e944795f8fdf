"""The validated scalars: their examples are good, what could become code or another name is not."""

import re
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from crouter.policy import types
from crouter.policy.types import DURATION, ClaimId, Duration, Email, FieldPath, Host, HttpsUrl, Identifier, Shape, Text

SHAPED = {
    name: value for name, value in vars(types).items() if get_args(value) and isinstance(get_args(value)[-1], Shape)
}


def is_valid(annotation: Any, text: object) -> bool:
    try:
        TypeAdapter(annotation).validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", SHAPED)
def test_the_example_of_a_shape_has_that_shape(name: str) -> None:
    shape = get_args(SHAPED[name])[-1]
    assert is_valid(SHAPED[name], shape.example)
    assert re.search(shape.pattern, shape.example)
    assert len(shape.example) <= shape.length_max


def test_the_shapes_have_different_names() -> None:
    names = [get_args(annotation)[-1].name for annotation in SHAPED.values()]
    assert len(set(names)) == len(names) == 16


HOSTILE = ["a\nb", "a\n", "\n", " a", "a ", "", "a\0", "a\u202e", "a\u2028b", "a'b\n--", "a\tb"]


@pytest.mark.parametrize("name", SHAPED)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_shape_takes_line_breaks_controls_or_nothing(name: str, text: str) -> None:
    assert not is_valid(SHAPED[name], text)


@pytest.mark.parametrize("name", [name for name in SHAPED if name != "Text"])
@pytest.mark.parametrize("text", ['"', "'", "`", "\\", "a;b c", "<a>", "a b", "${a}", "{{a}}", "é"])
def test_what_becomes_an_identifier_or_an_address_takes_no_marks_of_other_languages(name: str, text: str) -> None:
    assert not is_valid(SHAPED[name], text)


@pytest.mark.parametrize("word", ["class", "from", "import", "lambda", "yield", "not"])
def test_a_python_word_is_no_name(word: str) -> None:
    assert not is_valid(Identifier, word)


@pytest.mark.parametrize("word", ["select", "table", "user", "order", "group", "a", "a1", "match", "type", "api_key"])
def test_words_of_sql_are_names(word: str) -> None:
    assert is_valid(Identifier, word)


@pytest.mark.parametrize("word", ["_a", "a_", "a__b", "A", "1a", "a-b", "a.b", "x" * 41])
def test_other_spellings_are_no_names(word: str) -> None:
    assert not is_valid(Identifier, word)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (Host, ["a.example", "*.a.example", "a-b.c.example"], ["localhost", "*.com", "a.*.example", "1.2.3.4"]),
        (Host, [], ["A.example", "a..b", "a.example:443", "https://a.example", "-a.example"]),
        (HttpsUrl, ["https://a.example", "https://a.example/b?c=d#e"], ["http://a.example", "https://u@a.example"]),
        (Email, ["a@b.example", "a+b@c.d.example"], ["a", "@b.example", "a@b", "a b@c.example", "a@b.example>"]),
        (FieldPath, ["account", "account.email"], ["account.", ".email", "a.b.c", "account.*"]),
        (ClaimId, ["use-email", "a1"], ["use_email", "-a", "a-", "a--b"]),
        (Text, ["a", "what we’d “say” — ß", "<script>"], ["x" * 401]),
    ],
)  # fmt: skip
def test_shapes(annotation: Any, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not is_valid(annotation, text)] == []
    assert [text for text in bad if is_valid(annotation, text)] == []


def test_text_is_not_made_from_anything_else() -> None:
    for value in (1, True, None, b"a", ["a"]):
        assert not is_valid(Text, value)


@pytest.mark.parametrize(
    ("text", "months", "days", "seconds"),
    [
        ("P12M", 12, 0, 0),
        ("P1Y6M", 18, 0, 0),
        ("P2W", 0, 14, 0),
        ("P30D", 0, 30, 0),
        ("PT1H30M5S", 0, 0, 5405),
        ("P1M2DT3H", 1, 2, 10_800),
        ("P100Y", 1200, 0, 0),
    ],
)
def test_a_duration_keeps_months_days_and_seconds_apart(text: str, months: int, days: int, seconds: int) -> None:
    duration = Duration.parse(text)
    assert (duration.text, duration.months, duration.days, duration.seconds) == (text, months, days, seconds)
    assert duration.seconds_min <= duration.seconds_max
    assert re.search(DURATION.pattern, text)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1D", "P1.5D", "P-1D", "P1H", "P1D ", "P1D\n", "p1d", "P１D", "P1M1Y"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 duration"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["P0D", "PT0S", "P0Y0M"])
def test_an_empty_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nothing"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["P101Y", "P9999M", "P99999D"])
def test_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hundred years"):
        Duration.parse(text)

"""The marks a person can write."""

from crouter.simulator.steering import Steering, read_steering, split_model, without_marks


def test_a_mark_counts_only_on_a_line_of_its_own() -> None:
    assert read_steering("please simulate: echo") == Steering()
    assert read_steering("hi\n  simulate: echo  \nthere") == Steering(echo=True)


def test_marks_combine_and_take_amounts() -> None:
    steering = read_steering("simulate: slow 1.5s\nsimulate: web_search 2\nsimulate: long 90")
    assert steering == Steering(slow_s=1.5, web_searches=2, long_tokens=90)


def test_an_amount_is_bounded() -> None:
    assert read_steering("simulate: slow 99999999s").slow_s == 3600


def test_an_error_has_the_status_of_its_kind() -> None:
    error = read_steering("simulate: overloaded").error
    assert error is not None
    assert error.status == 529


def test_unknown_marks_are_counted_and_not_kept() -> None:
    assert read_steering("simulate: nonsense\nsimulate: slow 1.2.3").unknown == 2


def test_a_model_suffix_is_a_mark_too() -> None:
    model, suffix = split_model("claude-haiku-4-5+slow-2s")
    assert model == "claude-haiku-4-5"
    assert read_steering("", suffix) == Steering(slow_s=2)
    assert read_steering("", "rate_limit").error is not None
    assert read_steering("", "!!").unknown == 1


def test_the_marks_are_taken_out_of_an_echo() -> None:
    assert without_marks("simulate: echo\nhello\n") == "hello"

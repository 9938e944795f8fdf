"""Sentences are made of words of ours and values that know their place."""

import pytest

from crouter.plan.phrases import Text, Value, listed, phrase, plain, sentence


def test_neighbouring_words_become_one_segment() -> None:
    assert phrase("a", "b", Value("x", "c"), "", "d") == (Text("ab"), Value("x", "c"), Text("d"))


def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop() -> None:
    assert sentence("we keep ", Value("x", "data")).text == "We keep data."
    assert sentence(Value("x", "data"), " is kept").text == "Data is kept."


def test_a_proper_name_keeps_its_letters() -> None:
    assert sentence(Value("x", "npm", proper=True), " is a registry").text == "npm is a registry."


@pytest.mark.parametrize("ending", [".", "!", "?"])
def test_a_sentence_ends_once(ending: str) -> None:
    assert sentence("we are ", Value("x", f"Crouter Inc{ending}")).text == f"We are Crouter Inc{ending}"


def test_a_repeated_label_is_said_once_and_remembers_all_its_places() -> None:
    said = listed([Value("a", "tokens"), Value("b", "model"), Value("c", "tokens"), Value("d", "tokens")])
    assert plain(said) == "tokens and model"
    assert said[0] == Value("a", "tokens", also=("c", "d"))


def test_equal_words_of_ours_are_said_once() -> None:
    assert plain(listed(["a", "a"])) == "a"


def test_a_list_may_hold_phrases() -> None:
    assert plain(listed([phrase("“", Value("a", "x"), "”"), "y", "z"], "or")) == "“x”, y or z"

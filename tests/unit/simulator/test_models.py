"""The catalogue and its pages."""

from typing import Any, get_args

from anthropic.types import Model as SdkModel

from crouter.simulator.errors import Refusal
from crouter.simulator.models import MODELS, find_model, list_models


def page(**query: str) -> dict[str, Any]:
    listed = list_models(MODELS, query)
    assert not isinstance(listed, Refusal)
    return listed


def ids(listed: dict[str, Any]) -> list[str]:
    return [model["id"] for model in listed["data"]]


def test_every_model_is_one_the_sdk_names() -> None:
    named = set(get_args(get_args(SdkModel)[0]))
    assert {model.id for model in MODELS} <= named
    assert {model.alias for model in MODELS if model.alias} <= named


def test_an_alias_finds_the_dated_model() -> None:
    model = find_model(MODELS, "claude-haiku-4-5")
    assert model is not None
    assert model.id == "claude-haiku-4-5-20251001"
    assert find_model(MODELS, "claude-haiku") is None


def test_pages_forward_cover_every_model_once() -> None:
    seen: list[str] = []
    query = {"limit": "4"}
    while True:
        listed = page(**query)
        seen += ids(listed)
        if not listed["has_more"]:
            break
        query["after_id"] = listed["last_id"]
    assert seen == [model.id for model in MODELS]


def test_a_page_before_a_model_ends_right_before_it() -> None:
    listed = page(before_id=MODELS[5].id, limit="2")
    assert ids(listed) == [MODELS[3].id, MODELS[4].id]
    assert listed["has_more"] is True
    assert page(before_id=MODELS[2].id, limit="2")["has_more"] is False


def test_the_page_after_the_last_model_is_empty() -> None:
    listed = page(after_id=MODELS[-1].id)
    assert listed == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_bad_queries_are_refused() -> None:
    for query in (
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "²"},
        {"after_id": "nobody"},
        {"after_id": MODELS[0].id, "before_id": MODELS[1].id},
    ):
        refused = list_models(MODELS, query)
        assert isinstance(refused, Refusal)
        assert refused.status == 400

"""Usage, field by field: the failures that other gateways had, each by name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.contract.measures import COUNT_MAX
from crouter.runtime.proxy.usage import Iteration, UsageCounts, UsageMeter, counts_of, reported_model

START = {
    "input_tokens": 25,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 10,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 1,
    "service_tier": "standard",
    "inference_geo": "not_available",
}


def metered(*usages: Any) -> UsageMeter:
    meter = UsageMeter()
    for usage in usages:
        meter.update(usage)
    return meter


def test_nothing_reported_is_not_zero() -> None:
    meter = UsageMeter()
    assert not meter.reported
    assert meter.counts() == UsageCounts()
    assert meter.counts().input_tokens is None


def test_cumulative_counts_are_not_added_up() -> None:
    delta = {"input_tokens": 25, "cache_read_input_tokens": 10, "output_tokens": 40}
    counts = metered(START, delta, delta, {"output_tokens": 50}).counts()
    assert (counts.input_tokens, counts.output_tokens, counts.cache_read_input_tokens) == (25, 50, 10)


def test_the_last_non_null_value_wins_field_by_field() -> None:
    counts = metered({"input_tokens": 7, "output_tokens": 1}, {"input_tokens": None, "output_tokens": 9}).counts()
    assert (counts.input_tokens, counts.output_tokens) == (7, 9)


def test_an_explicit_zero_replaces_a_count() -> None:
    assert metered({"input_tokens": 7}, {"input_tokens": 0}).counts().input_tokens == 0


def test_the_output_of_message_start_is_a_placeholder_until_a_delta() -> None:
    meter = UsageMeter()
    meter.update(START, at_start=True)
    assert meter.output_is_placeholder
    assert meter.counts().output_tokens == 1
    meter.update({"output_tokens": 15})
    assert not meter.output_is_placeholder
    assert meter.counts().output_tokens == 15


def test_the_four_token_kinds_are_disjoint() -> None:
    counts = counts_of(
        {"input_tokens": 3, "output_tokens": 5, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 11}
    )
    assert (counts.input_tokens, counts.output_tokens) == (3, 5)
    assert (counts.cache_creation_5m_input_tokens, counts.cache_read_input_tokens) == (7, 11)
    assert counts.prompt_tokens == 3 + 7 + 11


SPLITS = [
    ("no split counts as five minutes", 100, None, None, 100, None),
    ("a whole split", 100, 60, 40, 60, 40),
    ("all for an hour", 100, 0, 100, 0, 100),
    ("the rest of a partial split counts as five minutes", 100, None, 40, 60, 40),
    ("the rest of an incomplete split counts as five minutes", 100, 10, 40, 60, 40),
    ("only the five-minute part is named", 100, 30, None, 100, None),
    ("a split without total", None, 60, 40, 60, 40),
    ("zero", 0, 0, 0, 0, 0),
    ("a total that grew after the split", 250, 0, 100, 150, 100),
]


@pytest.mark.parametrize(("case", "total", "five", "hour", "five_out", "hour_out"), SPLITS)
def test_cache_writes_are_split_by_lifetime(
    case: str, total: int | None, five: int | None, hour: int | None, five_out: int | None, hour_out: int | None
) -> None:
    meter = metered(
        {
            "cache_creation_input_tokens": total,
            "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        }
    )
    counts = meter.counts()
    assert (counts.cache_creation_5m_input_tokens, counts.cache_creation_1h_input_tokens) == (five_out, hour_out), case
    assert meter.anomalies == ()


COUNT = st.none() | st.integers(0, 1000)


@given(total=st.integers(0, 1000), five=COUNT, hour=COUNT)
def test_a_split_never_makes_more_of_the_total(total: int, five: int | None, hour: int | None) -> None:
    meter = metered(
        {
            "cache_creation_input_tokens": total,
            "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        }
    )
    counts = meter.counts()
    out_five, out_hour = counts.cache_creation_5m_input_tokens or 0, counts.cache_creation_1h_input_tokens or 0
    assert out_five + out_hour == total
    assert out_hour <= (hour or 0)
    assert ("cache_creation" in meter.anomalies) == ((five or 0) + (hour or 0) > total)


def test_server_tools_are_counted() -> None:
    counts = metered(START, {"server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 0}}).counts()
    assert (counts.web_search_requests, counts.web_fetch_requests) == (3, 0)


def test_options_are_taken_over_as_reported() -> None:
    counts = counts_of({"service_tier": "priority", "speed": "fast", "inference_geo": "us"})
    assert (counts.service_tier, counts.speed, counts.inference_geo) == ("priority", "fast", "us")


@pytest.mark.parametrize("bad", [-1, True, False, 1.0, "7", [], {}, COUNT_MAX + 1])
def test_a_count_of_wrong_type_or_sign_is_ignored_and_named(bad: Any) -> None:
    meter = metered({"input_tokens": 5}, {"input_tokens": bad})
    assert meter.counts().input_tokens == 5
    assert meter.anomalies == ("input_tokens",)


@pytest.mark.parametrize("bad", [[], "x", 5, True])
def test_a_usage_that_is_no_object_is_named(bad: Any) -> None:
    meter = metered(START, bad)
    assert meter.anomalies == ("usage",)
    assert meter.counts().input_tokens == 25


def test_unknown_numeric_keys_are_named() -> None:
    meter = metered(
        {
            **START,
            "audio_tokens": 0,
            "note": "text",
            "image": {"pixels": 7, "format": "png"},
            "server_tool_use": {"web_search_requests": 1, "python_requests": 2},
            "cache_creation": {"ephemeral_1d_input_tokens": 2},
            "output_tokens_details": {"thinking_tokens": 5},
            "fallback_credit": {"status": {"type": "redeemed"}},
        }
    )
    assert meter.unknown_keys == (
        "audio_tokens",
        "cache_creation.ephemeral_1d_input_tokens",
        "image.pixels",
        "server_tool_use.python_requests",
    )
    assert meter.anomalies == ()
    assert meter.counts().further == (
        ("audio_tokens", 0),
        ("cache_creation.ephemeral_1d_input_tokens", 2),
        ("image.pixels", 7),
        ("server_tool_use.python_requests", 2),
    )


def test_of_an_unknown_count_the_last_value_that_is_not_null_is_kept() -> None:
    counts = metered({**START, "audio_tokens": 3, "dreams": 4}, {"audio_tokens": 5, "dreams": None}).counts()
    assert counts.further == (("audio_tokens", 5), ("dreams", 4))


@pytest.mark.parametrize("value", [-1, 10**12 + 1, 1.5, 2.0])
def test_what_is_no_count_raises_its_alarm_and_nothing_of_it_is_kept(value: float) -> None:
    meter = metered({**START, "audio_tokens": value})
    assert (meter.unknown_keys, meter.counts().further, meter.anomalies) == (("audio_tokens",), (), ())


def test_unknown_counts_of_iterations_are_summed_over_the_last_list_of_them() -> None:
    first = [{"type": "message", "input_tokens": 1, "audio_tokens": 2}]
    second = [*first, {"type": "message", "input_tokens": 1, "audio_tokens": 5, "warmth": 0.5}]
    meter = metered({**START, "iterations": first}, {"iterations": second})
    assert meter.counts().further == (("iterations.audio_tokens", 7),)
    assert meter.unknown_keys == ("iterations.audio_tokens", "iterations.warmth")
    assert len(meter.counts().iterations) == 2


def test_a_nested_name_that_is_too_long_to_keep_is_kept_without_it() -> None:
    counts = metered({**START, "server_tool_use": {"x" * 64: 3}}).counts()
    assert counts.further == (("unnamed", 3),)


def test_names_are_shown_only_in_a_safe_form_and_number() -> None:
    meter = metered({"canary prompt": 1, "x" * 100: 2, **{f"k{i}": i for i in range(100)}})
    assert "unnamed" in meter.unknown_keys
    assert not any("canary" in key for key in meter.unknown_keys)
    assert len(meter.unknown_keys) == 32
    assert meter.anomalies == ("unknown_keys",)


def test_a_model_has_the_form_of_one_however_many_were_seen_before() -> None:
    for number in range(600):
        assert reported_model(f"claude-{number}") == f"claude-{number}"
    odd: tuple[object, ...] = ("", "-x", "a b", "é", "x" * 129, 7, None, ["claude"], {})
    for bad in odd:
        assert reported_model(bad) is None
    assert reported_model("Vendor/model_1:v2@x" + "y" * 109) is not None


def test_iterations_replace_each_other_and_do_not_touch_the_top_level() -> None:
    first = [{"type": "message", "input_tokens": 1, "output_tokens": 2}]
    second = [*first, {"type": "compaction", "model": "claude-x", "input_tokens": 180000, "output_tokens": 3500}]
    counts = metered({"input_tokens": 1, "iterations": first}, {"iterations": second}).counts()
    assert counts.input_tokens == 1
    assert counts.iterations == (
        Iteration("message", None, UsageCounts(input_tokens=1, output_tokens=2)),
        Iteration("compaction", "claude-x", UsageCounts(input_tokens=180000, output_tokens=3500)),
    )


@pytest.mark.parametrize(
    "bad", ["x", {}, [1], [{}], [{"type": 1}], [{"type": "message", "input_tokens": -1}], [{}] * 1001]
)
def test_iterations_in_another_form_are_ignored_and_named(bad: Any) -> None:
    meter = metered({"input_tokens": 1, "iterations": bad})
    assert meter.counts().iterations == ()
    assert meter.anomalies == ("iterations",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from([*START, "server_tool_use", "iterations", "speed", "other"])


@given(st.lists(st.dictionaries(KEYS, JSON) | JSON, max_size=4))
def test_no_json_whatever_makes_the_meter_raise(usages: list[Any]) -> None:
    meter = metered(*usages)
    counts = meter.counts()
    assert counts.prompt_tokens >= 0
    assert meter.anomalies == meter.anomalies

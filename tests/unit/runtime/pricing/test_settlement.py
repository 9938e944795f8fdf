"""From what an upstream sends to what a customer pays: each failure other gateways had, by name."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.pricing.book import PriceBook, Unpriced, shipped_price_book
from crouter.runtime.pricing.settlement import Charge, settle
from crouter.runtime.proxy.attempt import Attempt, Ending, UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions

# Opus 5.5, nanodollars per token: input 4000, output 20000, write 5000 and 8000, read 200. Haiku 5.5: a tenth
# of a dollar up to 100,000 tokens of prompt, half a dollar above.
OPUS = "claude-opus-5-5"
HAIKU = "claude-haiku-5-5"
BOOK = shipped_price_book()
AT = datetime(2026, 11, 23, tzinfo=UTC)


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def start(usage: dict[str, Any], model: str = OPUS) -> bytes:
    return event("message_start", message={"model": model, "usage": usage})


def delta(usage: dict[str, Any], stop_reason: str = "end_turn") -> bytes:
    return event("message_delta", delta={"stop_reason": stop_reason}, usage=usage)


BLOCK = event("content_block_start", index=0)
STOP = event("message_stop")


def draft_of(
    *chunks: bytes, ending: Ending = Ending.UPSTREAM_CLOSED, model: str = OPUS, options: ServiceOptions = ORDINARY
) -> UsageRecordDraft:
    attempt = Attempt(model, options)
    attempt.head(200, "text/event-stream", None)
    for chunk in chunks:
        attempt.body(chunk)
    draft = attempt.end(ending)
    assert draft is not None
    return draft


def charge(*chunks: bytes, book: PriceBook = BOOK, **named: Any) -> Charge:
    return settle(draft_of(*chunks, **named), book, AT)


def final(usage: dict[str, Any], reported: str = OPUS, **named: Any) -> Charge:
    return charge(start({"input_tokens": 0, "output_tokens": 1}, reported), BLOCK, delta(usage), STOP, **named)


def test_metering__a_client_that_leaves_is_billed_for_what_had_been_reported() -> None:
    paid = charge(start({"input_tokens": 100, "output_tokens": 1}), BLOCK, ending=Ending.CLIENT_LEFT)
    assert paid.cost_nanousd == 100 * 4000 + 1 * 20000


def test_metering__a_client_that_leaves_is_not_billed_for_what_came_later_or_was_estimated() -> None:
    stream = start({"input_tokens": 100, "output_tokens": 1}) + BLOCK + delta({"output_tokens": 900}) + STOP
    whole = charge(stream).cost_nanousd
    for size in range(len(stream)):
        attempt = Attempt(OPUS, ORDINARY)
        attempt.head(200, "text/event-stream", None)
        attempt.body(stream[:size])
        draft = attempt.end(Ending.CLIENT_LEFT)
        paid = 0 if draft is None else settle(draft, BOOK, AT).cost_nanousd
        assert paid in (0, 100 * 4000 + 20000, whole)


def test_metering__cumulative_counts_repeated_in_message_delta_are_billed_once() -> None:
    usage = {"input_tokens": 100, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 50}
    paid = charge(
        start({**usage, "output_tokens": 1}),
        BLOCK,
        delta({**usage, "output_tokens": 20}),
        delta({**usage, "output_tokens": 30}),
        STOP,
    )
    assert paid.cost_nanousd == 100 * 4000 + 10 * 5000 + 50 * 200 + 30 * 20000


def test_metering__the_placeholder_output_of_message_start_is_not_the_price_of_an_answer() -> None:
    paid = charge(start({"input_tokens": 0, "output_tokens": 1}), BLOCK, delta({"output_tokens": 500}), STOP)
    assert paid.cost_nanousd == 500 * 20000


def test_metering__cached_tokens_are_neither_billed_as_input_nor_clamped_away() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 90_000, "cache_creation_input_tokens": 4_000}
    assert final({**usage, "output_tokens": 0}).cost_nanousd == 5 * 4000 + 90_000 * 200 + 4_000 * 5000


def test_metering__one_hour_writes_have_their_own_rate_and_an_absent_split_is_five_minutes() -> None:
    split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1000}
    assert final({"cache_creation_input_tokens": 1000, "cache_creation": split}).cost_nanousd == 1000 * 8000 + 20000
    assert final({"cache_creation_input_tokens": 1000}).cost_nanousd == 1000 * 5000 + 20000


def test_metering__server_tool_use_is_billed_and_unknown_keys_raise_an_alarm() -> None:
    usage = {"output_tokens": 0, "server_tool_use": {"web_search_requests": 3, "dream_requests": 1}, "audio_tokens": 4}
    draft = draft_of(start({"output_tokens": 0}), BLOCK, delta(usage), STOP)
    assert settle(draft, BOOK, AT).cost_nanousd == 3 * 10_000_000
    assert draft.unknown_keys == ("audio_tokens", "server_tool_use.dream_requests")


def test_metering__a_model_without_a_price_is_not_free_but_refused_before_forwarding() -> None:
    assert BOOK.price_for("claude-next", AT) == Unpriced("model")


def test_metering__an_explicit_zero_is_a_count() -> None:
    paid = charge(
        start({"input_tokens": 100, "output_tokens": 1}), delta({"input_tokens": 0, "output_tokens": 0}), STOP
    )
    assert paid.cost_nanousd == 0


def test_metering__one_attempt_has_one_record() -> None:
    attempt = Attempt(OPUS, ORDINARY)
    attempt.head(200, "text/event-stream", None)
    attempt.body(start({"input_tokens": 1}))
    assert attempt.end(Ending.CRASHED) is not None
    with pytest.raises(AssertionError):
        attempt.end(Ending.CLIENT_LEFT)


def test_metering__cache_reads_have_explicit_rates_and_no_fixed_share_of_input() -> None:
    read = {"cache_read_input_tokens": 1_000_000, "output_tokens": 0}
    dollars = {"claude-fable-5-1": 250, "claude-fable-5": 1000, "claude-opus-5-5": 200, "claude-opus-5": 500}
    for model, thousandths in dollars.items():
        assert final(read, model, model=model).cost_nanousd == thousandths * 10**6


def test_a_long_prompt_is_priced_as_one_by_everything_that_was_read() -> None:
    short = {"input_tokens": 10_000, "cache_read_input_tokens": 90_000, "output_tokens": 10}
    assert final(short, HAIKU, model=HAIKU).cost_nanousd == 10_000 * 100 + 90_000 * 10 + 10 * 500
    long = {**short, "input_tokens": 10_001}
    assert final(long, HAIKU, model=HAIKU).cost_nanousd == 10_001 * 500 + 90_000 * 50 + 10 * 2500


def turn(kind: str = "message", **members: Any) -> dict[str, Any]:
    return {"type": kind, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, **members}


def test_several_short_turns_are_not_one_long_prompt() -> None:
    turns = [turn(input_tokens=60_000, output_tokens=10), turn(input_tokens=70_000, output_tokens=20)]
    usage = {"input_tokens": 130_000, "output_tokens": 30, "server_tool_use": {"web_search_requests": 2}}
    paid = final({**usage, "iterations": turns}, HAIKU, model=HAIKU)
    assert paid.cost_nanousd == 130_000 * 100 + 30 * 500 + 2 * 10_000_000
    assert [part.counts.web_search_requests for part in paid.parts] == [2, None]
    assert paid.anomalies == ()


def test_a_compaction_and_an_advisor_are_billed_beside_the_answer_each_by_its_model() -> None:
    turns = [
        turn("compaction", input_tokens=180_000, output_tokens=3_500),
        turn("advisor_message", model="claude-fable-5-2", input_tokens=1_000, output_tokens=100),
        turn(input_tokens=23_000, output_tokens=1_000),
    ]
    paid = final({"input_tokens": 23_000, "output_tokens": 1_000, "iterations": turns})
    answer = 23_000 * 4000 + 1_000 * 20000
    compaction = 180_000 * 4000 + 3_500 * 20000
    advisor = 1_000 * 8000 + 100 * 40000
    assert [part.cost_nanousd for part in paid.parts] == [answer, compaction, advisor]
    assert paid.cost_nanousd == answer + compaction + advisor
    assert [part.model for part in paid.parts] == [OPUS, OPUS, "claude-fable-5-2"]


def test_a_fallback_is_billed_by_the_model_that_served() -> None:
    turns = [turn("fallback_message", model="claude-opus-5", input_tokens=100, output_tokens=10)]
    usage = {"input_tokens": 100, "output_tokens": 10, "iterations": turns}
    assert final(usage, "claude-fable-5-2", model="claude-fable-5-2").cost_nanousd == 100 * 5000 + 10 * 25000


def test_the_split_of_cache_writes_may_be_known_by_turns_only() -> None:
    hour = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100}
    turns = [turn(input_tokens=1, output_tokens=1, cache_creation_input_tokens=100, cache_creation=hour)]
    paid = final({"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 100, "iterations": turns})
    assert paid.cost_nanousd == 4000 + 20000 + 100 * 8000
    assert paid.anomalies == ()


def test_turns_that_do_not_add_up_leave_the_top_level_and_an_alarm() -> None:
    turns = [turn(input_tokens=999, output_tokens=1), turn("dreaming", input_tokens=5)]
    paid = final({"input_tokens": 100, "output_tokens": 10, "iterations": turns})
    assert paid.cost_nanousd == 100 * 4000 + 10 * 20000
    assert paid.anomalies == ("iteration_type_unknown", "iterations_do_not_add_up")


def test_a_refusal_before_any_output_costs_nothing() -> None:
    refused = charge(start({"input_tokens": 100, "output_tokens": 1}), delta({"output_tokens": 1}, "refusal"), STOP)
    assert (refused.cost_nanousd, refused.parts) == (0, ())
    late = charge(start({"input_tokens": 100, "output_tokens": 1}), BLOCK, delta({"output_tokens": 1}, "refusal"), STOP)
    assert late.cost_nanousd == 100 * 4000 + 20000


@pytest.mark.parametrize(
    ("asked", "reported", "rate", "anomalies"),
    [
        (ORDINARY, {}, 4000, ()),
        (ORDINARY, {"inference_geo": "not_available", "service_tier": "standard", "speed": "standard"}, 4000, ()),
        (ORDINARY, {"inference_geo": "us"}, 4400, ()),
        (ServiceOptions(inference_geo="us"), {}, 4400, ()),
        (ServiceOptions(inference_geo="us"), {"inference_geo": "us"}, 4400, ()),
        (ServiceOptions(inference_geo="us"), {"inference_geo": "global"}, 4000, ()),
        (ServiceOptions(inference_geo="us"), {"service_tier": "priority"}, 4400, ("service_tier_unpriced",)),
        (ORDINARY, {"service_tier": "priority"}, 4000, ("service_tier_unpriced",)),
        (ORDINARY, {"inference_geo": "moon"}, 4000, ("inference_geo_unpriced",)),
        (ORDINARY, {"speed": "fast"}, 4000, ("speed_unpriced",)),
    ],
)
def test_reported_options_decide_where_they_have_a_price(
    asked: ServiceOptions, reported: dict[str, str], rate: int, anomalies: tuple[str, ...]
) -> None:
    paid = final({"input_tokens": 10, "output_tokens": 0, **reported}, options=asked)
    assert (paid.cost_nanousd, paid.anomalies) == (10 * rate, anomalies)


def test_a_reported_model_without_a_price_is_charged_as_the_requested_one() -> None:
    paid = final({"input_tokens": 10, "output_tokens": 0}, "claude-opus-5-5-20260915")
    assert (paid.cost_nanousd, paid.anomalies) == (10 * 4000, ("model_unpriced",))
    assert paid.parts[0].model == OPUS


def test_a_dated_model_is_recorded_under_its_canonical_id() -> None:
    snapshot = "claude-haiku-4-5-20251001"
    paid = final({"input_tokens": 10, "output_tokens": 0}, snapshot, model=snapshot)
    assert paid.parts[0].model == "claude-haiku-4-5"
    assert (paid.cost_nanousd, paid.price_version) == (10_000, BOOK.version)


COUNT = st.none() | st.integers(0, 300_000)
TURNS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["message", "fallback_message", "compaction", "advisor_message", "other"]),
            "model": st.sampled_from([None, OPUS, HAIKU, "claude-next"]),
            "input_tokens": COUNT,
            "output_tokens": COUNT,
        }
    ),
    max_size=4,
)


@given(
    model=st.sampled_from([*BOOK.model_ids, "claude-next"]),
    asked=st.sampled_from([ORDINARY, ServiceOptions(inference_geo="us")]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "service_tier": st.sampled_from(["standard", "priority", "batch"]),
            "speed": st.sampled_from(["standard", "fast"]),
            "inference_geo": st.sampled_from(["global", "us", "moon"]),
        },
    ),
    counts=st.fixed_dictionaries({"input_tokens": COUNT, "output_tokens": COUNT}),
    turns=TURNS,
)
def test_every_report_has_a_charge_that_is_the_sum_of_its_parts(
    model: str, asked: ServiceOptions, options: dict[str, str], counts: dict[str, Any], turns: list[dict[str, Any]]
) -> None:
    paid = final({**counts, **options, "iterations": turns}, model, options=asked)
    assert paid.cost_nanousd == sum(part.cost_nanousd for part in paid.parts) >= 0

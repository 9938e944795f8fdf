"""The data-flow diagram: complete, inside its own edges, and drawn from text that stays text."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from crouter.generate.templates import Templates
from crouter.generate.views import records
from crouter.generate.views.record_flow import data_flow
from crouter.generate.views.record_flow_svg import Box, FlowView, flow_view
from crouter.generate.views.record_flow_text import text_width, wrapped
from crouter.plan.plan import Plan, make_plan
from crouter.policy.model import Policy

Edit = Callable[[Mapping[str, Any]], Policy]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"]; click a; %% </text><script>x</script> #quot; `b` {c} | --> end\nd'.replace("\n", " ")
SIZES = {"name": 16, "words": 13.5, "quiet": 12.5}

POLICIES: dict[str, Mapping[str, Any]] = {
    "the first policy": {},
    "long words": {
        "data/usage/label": "x" * 300,
        "processors/stripe/does": "W" * 200 + " " + "字" * 150,
        "service/name": "A very long name of a service " * 6 + "end",
    },
}


@pytest.fixture(params=POLICIES)
def view(request: pytest.FixtureRequest, edit: Edit) -> FlowView:
    return flow_view(data_flow(edit(POLICIES[request.param])), "header")


def inside(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width + 0.2
        and inner.y + inner.height <= outer.y + outer.height + 0.2
    )


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def test_boxes_stay_in_the_picture_and_apart(view: FlowView) -> None:
    whole = Box(0, 0, view.width, view.height, "whole")
    assert all(inside(whole, box) for box in view.boxes)
    cards = [box for box in view.boxes if box.kind not in ("people", "service", "transit")]
    assert [(a, b) for n, a in enumerate(cards) for b in cards[n + 1 :] if overlap(a, b)] == []
    frames = [box for box in view.boxes if box.kind in ("service", "transit")]
    assert all(any(inside(frame, box) for frame in frames) for box in cards if box.kind != "party")


def test_every_line_of_a_box_ends_in_the_box(view: FlowView) -> None:
    for line in view.lines:
        if line.kind not in SIZES:
            continue
        around = [b for b in view.boxes if b.x <= line.x < b.x + b.width and b.y <= line.y <= b.y + b.height]
        right = min((box.x + box.width for box in around), default=view.width)
        assert line.x + text_width(line.text, SIZES[line.kind]) <= right, line.text


def test_arrows_are_level_and_lead_from_left_to_right(view: FlowView) -> None:
    assert view.arrows
    assert all(arrow.x1 < arrow.x2 and 0 < arrow.y < view.height for arrow in view.arrows)


def test_every_category_about_people_and_every_processor_is_drawn(files: dict[str, str], plan: Plan) -> None:
    svg = files["records/data-flow.svg"]
    shown = " ".join(text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")).lower()  # noqa: S314
    policy = plan.policy
    labels = [category.label for category in policy.data.values()]
    labels += [party.label for party in policy.processors.values()]
    for label in labels:
        assert label.lower() in shown, label


def test_content_is_drawn_apart(plan: Plan) -> None:
    flow = data_flow(plan.policy)
    assert [stop.label for stop in flow.before] == ["Cloudflare"]
    assert [stop.label for stop in flow.after] == ["Anthropic"]
    assert {party.label for party in flow.receivers} == {"Stripe", "Supabase", "OpenPanel"}
    assert all("content" not in party.receives for party in flow.receivers)


def test_the_picture_says_what_it_shows_to_those_who_do_not_see_it(files: dict[str, str]) -> None:
    svg = ElementTree.fromstring(files["records/data-flow.svg"])  # noqa: S314
    ids = {element.get("id"): element for element in svg.iter() if element.get("id")}
    assert svg.get("role") == "img"
    title, summary = (ids[name] for name in str(svg.get("aria-labelledby")).split())
    assert title.text == "Where data goes at Crouter"
    assert "Stripe receives email address of account data" in str(summary.text)
    assert "only passes through Crouter, to and from Cloudflare and Anthropic" in str(summary.text)


def test_the_style_knows_dark_screens_and_paper(files: dict[str, str]) -> None:
    assert {"prefers-color-scheme: dark", "@media print"} <= set(
        re.findall(r"prefers-color-scheme: dark|@media print", files["records/data-flow.svg"])
    )


def test_hostile_text_stays_text_in_both_pictures(edit: Edit) -> None:
    names = ("service/name", "data/usage/label", "processors/stripe/label", "processors/cloudflare/does")
    drawn = records.render(make_plan(edit(dict.fromkeys(names, HOSTILE))), Templates())
    calm = records.render(make_plan(edit(dict.fromkeys(names, "x"))), Templates())
    tags = {str(e.tag) for e in ElementTree.fromstring(drawn["records/data-flow.svg"]).iter()}  # noqa: S314
    assert tags == {str(e.tag) for e in ElementTree.fromstring(calm["records/data-flow.svg"]).iter()}  # noqa: S314
    shapes = [[_bare(line) for line in each["records/data-flow.mmd"].splitlines()] for each in (drawn, calm)]
    assert shapes[0] == shapes[1]
    assert _decoded(drawn["records/data-flow.mmd"]).count(HOSTILE) >= 4


def _bare(line: str) -> str:
    """A line of Mermaid without its labels and sentences."""
    return re.sub(r'"[^"]*"|(?<=accTitle:).*|(?<=accDescr:).*|(?<=%%).*', "", line)


def _decoded(text: str) -> str:
    return re.sub(r"#([0-9]+);", lambda match: chr(int(match[1])), text)


def test_mermaid_has_balanced_lines_and_declares_what_it_links(files: dict[str, str]) -> None:
    text = files["records/data-flow.mmd"]
    assert text.splitlines()[1] == "flowchart LR"
    assert all(line.count('"') % 2 == 0 for line in text.splitlines()[4:])
    assert text.count("subgraph") == len(re.findall(r"^ +end$", text, re.MULTILINE))
    declared = set(re.findall(r"^ +(?:subgraph )?([a-z_0-9]+)[\[(]", text, re.MULTILINE))
    linked = {
        name for pair in re.findall(r"([a-z_0-9]+) (?:-->\|\"[^\"]*\"\||<-\.->) ([a-z_0-9]+)", text) for name in pair
    }
    assert linked
    assert linked <= declared


def test_words_break_where_a_line_is_full_and_nothing_is_lost() -> None:
    text = "one two " + "x" * 90 + " three"
    lines = wrapped(text, 13.5, 120)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, 13.5) <= 120 for line in lines)
    assert wrapped("", 13.5, 120) == ()

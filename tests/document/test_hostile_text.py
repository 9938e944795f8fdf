"""Text of the policy is data: whatever every string of it holds, no format takes it for its own syntax."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

import html5lib
import pytest
from markdown_it import MarkdownIt
from pydantic import ValidationError

from crouter.generate.templates import Templates
from crouter.generate.views import policy, records
from crouter.plan.plan import Plan, make_plan
from crouter.policy.model import Policy

Edit = Callable[[Mapping[str, Any]], Policy]
MARKER = (
    "#1. \"'</script></style><img src=x onerror=alert(1)><!-- --> {{7*7}} ${x} {% if %} -- */ `b` ]]> &amp; "
    "[a](javascript:b) ![c](d) <http://e.example> www.f.example https://g.example h@i.example *j* _k_ ~~l~~ |m| \\ %n"
)


def _leaves(node: Any, path: str = "") -> Iterator[str]:
    if isinstance(node, str):
        yield path
    elif isinstance(node, dict | list):
        for name, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(inner, f"{path}/{name}" if path else str(name))


@pytest.fixture(scope="module")
def free(written: dict[str, Any], edit: Edit) -> list[str]:
    """The places of every string that may hold any text."""

    def takes_any_text(path: str) -> bool:
        try:
            edit({path: MARKER})
        except ValidationError:
            return False
        return True

    return [path for path in _leaves(written) if takes_any_text(path)]


@pytest.fixture(scope="module")
def hostile(edit: Edit, free: list[str]) -> Plan:
    return make_plan(edit({path: f"{MARKER} {number}" for number, path in enumerate(free)}))


@pytest.fixture(scope="module")
def drawn(hostile: Plan) -> dict[str, str]:
    return {**policy.render(hostile, Templates()), **records.render(hostile, Templates())}


def _tags(text: str) -> list[tuple[str, tuple[str, ...]]]:
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    return [(str(element.tag), tuple(sorted(element.attrib))) for element in tree.iter()]


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_many_places_take_any_text(free: list[str]) -> None:
    assert len(free) > 80
    assert {"service/name", "controller/office", "data/account/fields/email/label", "sections/0/title"} <= set(free)


def test_html_has_the_same_elements_and_shows_the_text(
    files: dict[str, str], drawn: dict[str, str], hostile: Plan, edit: Edit
) -> None:
    name = "policy/privacy-policy.html"
    calm = make_plan(edit({"controller/office": "Main Street", "processors/stripe/does": "x"}))
    shapes = [_tags(text) for text in (policy.render(calm, Templates())[name], drawn[name])]
    assert shapes[0] == shapes[1]
    tree = html5lib.parse(drawn[name], namespaceHTMLElements=False)
    shown = _squeezed("".join(tree.itertext()))
    assert [claim.id for claim in hostile.document.claims if _squeezed(claim.text) not in shown] == []


def test_markdown_has_the_same_blocks_and_links_and_shows_the_text(
    files: dict[str, str], drawn: dict[str, str], hostile: Plan
) -> None:
    name = "policy/privacy-policy.md"
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    calm, loud = (
        [token for block in reader.parse(text) for token in (block, *(block.children or []))]
        for text in (files[name], drawn[name])
    )
    for kind in ("html_inline", "html_block"):
        assert [t.content for t in calm if t.type == kind and "Code generated" not in t.content] == [
            t.content for t in loud if t.type == kind and "Code generated" not in t.content
        ]
    for kind in ("link_open", "image", "code_inline", "em_open", "strong_open", "s_open", "table_open", "fence"):
        assert [t.attrs for t in calm if t.type == kind] == [t.attrs for t in loud if t.type == kind], kind
    shown = _squeezed("".join(token.content for token in loud if token.type == "text"))
    assert [claim.id for claim in hostile.document.claims if _squeezed(claim.text) not in shown] == []


def test_markdown_offers_nothing_to_renderers_that_link_bare_addresses(drawn: dict[str, str]) -> None:
    text = drawn["policy/privacy-policy.md"]
    assert re.findall(r"www\.f|https?://[eg]\.|h@i|(?<!\\)\{\{|(?<!\\)#1", text) == []


def test_plain_text_has_no_control_characters_and_shows_the_text(drawn: dict[str, str], hostile: Plan) -> None:
    text = drawn["policy/privacy-policy.txt"]
    assert [character for character in text if character != "\n" and not character.isprintable()] == []
    bare = _squeezed(re.sub(r"\((https|mailto):[^)]*\)", "", text))
    plain = [_squeezed(claim.text) for claim in hostile.document.claims]
    assert [words for words in plain if words not in bare and words not in _squeezed(text)] == []


@pytest.mark.parametrize(
    "name",
    [
        "policy/privacy-policy.json",
        *(
            f"records/{r}"
            for r in ("claims.json", "dpv.jsonld", "fideslang.json", "tilt.json", "processing-record.json")
        ),
    ],
)
def test_json_holds_the_text_as_it_is(drawn: dict[str, str], name: str) -> None:
    strings = list(_strings(json.loads(drawn[name])))
    assert any(MARKER in text for text in strings)


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _strings(inner)


def test_csv_holds_the_text_and_no_formula(drawn: dict[str, str], files: dict[str, str]) -> None:
    rows = list(csv.DictReader(StringIO(drawn["records/processing-record.csv"])))
    calm = list(csv.DictReader(StringIO(files["records/processing-record.csv"])))
    assert len(rows) == len(calm)
    assert any(MARKER in str(row["purpose"]) for row in rows)


def test_a_cell_that_would_be_a_formula_is_text(edit: Edit) -> None:
    plan = make_plan(edit({"purposes/billing/label": "=HYPERLINK(1)"}))
    text = records.render(plan, Templates())["records/processing-record.csv"]
    assert "'=HYPERLINK(1)" in {row["purpose"] for row in csv.DictReader(StringIO(text))}

"""The processing record as a page: well-formed, reachable, and honest about what is missing."""

import re
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib
import pytest

from crouter.generate.views.record_facts import MISSING_MARK
from crouter.plan.plan import Plan

PAGE = "records/processing-record.html"


@pytest.fixture(scope="module")
def page(files: dict[str, str]) -> Element:
    # Strict: a mistake of HTML is an error.
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(files[PAGE])
    return tree


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_the_page_has_one_title_and_no_level_is_skipped(page: Element) -> None:
    levels = [int(str(element.tag)[1]) for element in page.iter() if re.fullmatch(r"h[1-6]", str(element.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("landmark", ["header", "nav", "main", "footer"])
def test_the_page_has_its_landmarks(page: Element, landmark: str) -> None:
    assert len(list(page.iter(landmark))) == 1


def test_ids_are_unique_and_every_reference_leads_somewhere(page: Element) -> None:
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    targets = [str(link.get("href"))[1:] for link in page.iter("a") if str(link.get("href")).startswith("#")]
    labels = [label for element in page.iter() for label in str(element.get("aria-labelledby") or "").split()]
    assert set(targets) | set(labels) <= set(ids)
    assert [link.attrib for link in page.iter("a") if not words(link)] == []


def test_the_page_needs_nothing_from_outside_and_runs_nothing(page: Element) -> None:
    forbidden = {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert {str(element.tag) for element in page.iter()} & forbidden == set()
    names = {name for element in page.iter() for name in element.attrib}
    assert [name for name in names if name == "style" or name.startswith("on") or name in ("src", "srcset")] == []
    assert re.findall(r"url\((?!#)|@import", "".join(words(style) for style in page.iter("style"))) == []


def test_each_letter_of_article_30_has_its_chapter(page: Element) -> None:
    asked = [words(span) for span in page.iter("span") if span.get("class") == "asks"]
    assert asked == [f"Article 30(1)({letter})" for letter in "abcdefg"]


def test_every_purpose_category_and_recipient_is_on_the_page(page: Element, plan: Plan) -> None:
    titles = [words(heading).lower() for heading in page.iter("h3")]
    policy = plan.policy
    labels = [purpose.label for purpose in policy.purposes.values()]
    labels += [category.label for category in policy.data.values()]
    labels += [party.label for party in policy.processors.values()]
    for label in labels:
        assert label.lower() in titles, label


def test_what_is_missing_stands_on_top_and_is_marked_where_it_is_missing(page: Element) -> None:
    (gaps,) = [section for section in page.iter("section") if section.get("class") == "gaps"]
    listed = [words(item) for item in gaps.iter("li")]
    assert "Data protection officer – Crouter" in listed
    assert any(item.startswith("Country – Stripe, ") for item in listed)
    marks = [words(strong) for strong in page.iter("strong")]
    assert set(marks) == {MISSING_MARK}
    assert len(marks) > len(listed)
    # Seen without colour too, and never in a sentence that reads as if it were said.
    for term in page.iter("div"):
        if MISSING_MARK in words(term):
            assert any(strong.text == MISSING_MARK for strong in term.iter("strong"))


def test_every_term_has_a_value(page: Element) -> None:
    for group in page.iter("dl"):
        for pair in group:
            assert next(str(child.tag) for child in pair) == "dt"
            assert all(words(child) for child in pair)
            assert len(list(pair)) > 1


@pytest.mark.parametrize("rule", ["@media print", "max-width: 34rem", "prefers-color-scheme: dark", ":focus-visible"])
def test_the_style_cares_for(files: dict[str, str], rule: str) -> None:
    assert rule in files[PAGE]

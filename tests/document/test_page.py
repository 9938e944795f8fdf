"""The HTML page: valid, readable with a keyboard and a screen reader, and in need of nothing from outside."""

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib
import pytest

from crouter.plan.document_style import document_style, style_hash

PAGE = "policy/privacy-policy.html"


def parsed(text: str) -> Element:
    """The page as a tree. Raises html5lib's ParseError for the first error of a strict reading."""
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    return tree


@pytest.fixture(scope="module")
def page(files: dict[str, str]) -> Element:
    return parsed(files[PAGE])


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_the_page_says_its_language_and_title(page: Element) -> None:
    assert page.get("lang") == "en"
    assert [words(title) for title in page.iter("title")] == ["Privacy Policy – Crouter"]
    assert page.find(".//meta[@name='viewport']") is not None


def test_headings_go_down_one_step_at_a_time_from_one_h1(page: Element) -> None:
    levels = [int(element.tag[1]) for element in page.iter() if re.fullmatch(r"h[1-6]", str(element.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("landmark", ["header", "nav", "main", "footer"])
def test_the_page_has_its_landmarks(page: Element, landmark: str) -> None:
    assert len(list(page.iter(landmark))) == 1


def test_the_first_link_skips_to_the_text(page: Element) -> None:
    first = next(page.iter("a"))
    assert first.get("class") == "skip"
    assert first.get("href") == "#" + str(next(page.iter("main")).get("id"))


def test_ids_are_unique_and_every_reference_leads_somewhere(page: Element) -> None:
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    targets = [str(link.get("href"))[1:] for link in page.iter("a") if str(link.get("href")).startswith("#")]
    labels = [element.get("aria-labelledby") for element in page.iter() if element.get("aria-labelledby")]
    assert set(targets) | set(labels) <= set(ids)


def test_every_link_and_section_has_a_name(page: Element) -> None:
    assert [link.attrib for link in page.iter("a") if not words(link)] == []
    assert [section.attrib for section in page.iter("section") if not section.get("aria-labelledby")] == []
    permalinks = [link for link in page.iter("a") if link.get("class") == "permalink"]
    assert all(words(link) in str(link.get("aria-label")) for link in permalinks)


def test_the_page_needs_nothing_from_outside_and_runs_nothing(page: Element, files: dict[str, str]) -> None:
    forbidden = {"script", "link", "img", "iframe", "object", "embed", "form", "video", "audio", "base", "svg"}
    assert {str(element.tag) for element in page.iter()} & forbidden == set()
    names = {name for element in page.iter() for name in element.attrib}
    assert [name for name in names if name == "style" or name.startswith("on") or name in ("src", "srcset")] == []
    assert "url(" not in document_style()
    assert "@import" not in document_style()


def test_the_style_is_the_one_that_the_hash_allows(files: dict[str, str]) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", files[PAGE], re.DOTALL)
    assert style == document_style()
    assert style_hash() == "sha256-" + b64encode(sha256(style.encode()).digest()).decode()


def _colours(block: str) -> dict[str, str]:
    found = dict(re.findall(r"--(paper|ink|quiet|link|mark): (#[0-9a-f]{3,6});", block))
    return {
        name: value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
        for name, value in found.items()
    }


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_enough_in_light_in_dark_and_on_paper() -> None:
    blocks = re.findall(r":root \{(.*?)\}", document_style(), re.DOTALL)
    schemes = [scheme for block in blocks if len(scheme := _colours(block)) == 5]
    assert len(schemes) == 3
    for scheme in schemes:
        for ground in ("paper", "mark"):
            for ink in ("ink", "quiet", "link"):
                assert _contrast(scheme[ink], scheme[ground]) >= 4.5, (scheme, ink, ground)


@pytest.mark.parametrize(
    "rule", ["@media print", "prefers-reduced-motion", "prefers-color-scheme: dark", ":focus-visible", "attr(href)"]
)
def test_the_style_cares_for(rule: str) -> None:
    assert rule in document_style()

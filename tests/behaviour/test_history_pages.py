"""Anybody can read every version of the policy, and how any two of them differ."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from crouter.generate.emit import emit
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.policy.model import Policy
from tests.behaviour.deployment import POLICY
from tests.behaviour.service import serving

EDITS = (
    (),
    (
        ('version: "1.0"', 'version: "1.1"'),
        ("effective: 2025-01-05", "effective: 2026-03-01"),
        ("keep: P12M, from", "keep: P17M, from"),
    ),
    (
        ('version: "1.0"', 'version: "2.0"'),
        ("effective: 2025-01-05", "effective: 2026-09-01"),
        ("keep: P12M, from", "keep: P17M, from"),
        ("    covers: [city, region, country]", "    covers: [city, region]"),
        ("      no-office: {says: office, about: controller.office}\n", ""),
        (
            "      contact: {says: contact, about: controller.contact}",
            "      contact: {says: contact, about: controller.contact}\n"
            "      no-office: {says: office, about: controller.office}",
        ),
    ),
)


def policy(edits: tuple[tuple[str, str], ...]) -> Policy:
    text = POLICY.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """generated/ after three versions."""
    for edits in EDITS:
        emit(policy(edits), tmp_path / "generated")
    return tmp_path / "generated"


@pytest.fixture
async def url(folder: Path, dsn: str) -> AsyncIterator[str]:
    async with serving(make_plan(policy(EDITS[-1])).deployment, dsn, folder) as service:
        yield service.url


async def read(url: str, accept: str = "text/html") -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers={"accept": accept}) as answer:
        return answer.status, answer.content_type, await answer.text()


async def test_the_list_tells_what_each_version_changed(url: str) -> None:
    status, media_type, page = await read(f"{url}/privacy/history")
    assert (status, media_type) == (200, "text/html")
    assert page.index("Version 2.0") < page.index("Version 1.1") < page.index("The first version.")
    assert "“usage data” is kept for 17 months instead of for 12 months" in page
    assert 'href="/privacy/history/1.1..2.0"' in page


async def test_any_two_versions_are_compared_sentence_by_sentence(url: str) -> None:
    for pair in ("1.0..2.0", "2.0..1.0", "1.0..1.1"):
        status, _, page = await read(f"{url}/privacy/history/{pair}")
        assert status == 200
        assert page.count("<ins>") > 1
        assert page.count("<del>") > 1
        assert "for 17 months" in page
        assert 'id="collect-account"' not in page, "what reads the same is left out"


async def test_two_versions_as_json(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/privacy/history/1.0..1.1.json") as answer:
        told = await answer.json()
    claims = {claim["id"]: claim for claim in told["claims"]}
    assert claims["retain-usage"]["kind"] == "changed"
    marks = [sentence["mark"] for sentence in claims["retain-usage"]["sentences"]]
    assert {"added", "removed", "same"} == set(marks)
    assert (told["before"]["version"], told["after"]["version"]) == ("1.0", "1.1")


async def test_a_version_is_read_in_the_words_of_its_day(url: str) -> None:
    status, _, page = await read(f"{url}/privacy/history/1.0")
    assert status == 200
    assert "for 12 months" in page
    assert "for 17 months" not in page


async def test_a_version_beside_itself_reads_the_same(url: str) -> None:
    _, _, page = await read(f"{url}/privacy/history/1.0..1.0")
    assert "The two versions read the same." in page


@pytest.mark.parametrize("path", ["9.9", "1.0..9.9", "../index", "1.0...1.1", "%2e%2e", "1.0/policy"])
async def test_what_is_no_version_is_not_found(url: str, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        address = f"{url}/privacy/history/{path}"
        async with session.get(URL(address, encoded=True)) as answer:
            assert answer.status == 404


async def test_a_page_that_did_not_change_is_not_sent_again(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/privacy/history/1.0..1.1") as first:
            tag = first.headers["etag"]
            assert first.headers["content-security-policy"]
        async with session.get(f"{url}/privacy/history/1.0..1.1", headers={"if-none-match": tag}) as second:
            assert second.status == 304


async def test_the_style_sheets_are_there(url: str) -> None:
    for path in ("/privacy/policy.css", "/assets/history.css"):
        status, media_type, text = await read(f"{url}{path}", "text/css")
        assert (status, media_type) == (200, "text/css")
        assert text

"""The files of the web family follow every edit of the policy, and stay valid."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from crouter.generate.templates import Templates
from crouter.generate.views import web
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy

ROOT = Path(__file__).resolve().parents[3]
Edit = Callable[[dict[str, Any]], object]
HOSTILE = "</script><img src=x onerror=alert(1)>\"'`${7*7}{{7*7}}&amp; -- \\"


def rendered(edit: Edit = lambda said: None) -> dict[str, Any]:
    """Every file by its name: JSON as its value, other files as text."""
    said = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    edit(said)
    plan = make_plan(Policy.model_validate_json(json.dumps(said, default=str)))
    files = web.render(plan, Templates())
    return {
        path.removeprefix("web/"): json.loads(text) if path.endswith(".json") else text for path, text in files.items()
    }


def configuration(files: dict[str, Any]) -> dict[str, Any]:
    found = files["consent.json"]["configuration"]
    assert isinstance(found, dict)
    return found


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    return [text for item in value for text in texts(item)] if isinstance(value, list) else []


@pytest.mark.claim("cookie-essential", by="cookie_register")
def test_the_register_holds_every_declared_cookie_with_its_flags() -> None:
    cookies = {cookie["name"]: cookie for cookie in rendered()["cookies.json"]["cookies"]}
    assert list(cookies) == ["__Host-crouter_session", "__Host-crouter_sign_in", "cc_cookie"]
    session = cookies["__Host-crouter_session"]
    assert session == {
        "name": "__Host-crouter_session",
        "purpose": "authentication",
        "purpose_label": "authentication",
        "legal_basis": "contract",
        "category": "essential",
        "consent": "always",
        "lifetime": {"declared": "P14D", "words": "14 days", "seconds": 1209600},
        "path": "/",
        "secure": True,
        "http_only": True,
        "same_site": "lax",
        "policy_path": "cookies.__Host-crouter_session",
    }
    assert cookies["__Host-crouter_sign_in"] == {
        **session,
        "name": "__Host-crouter_sign_in",
        "lifetime": {"declared": "PT10M", "words": "10 minutes", "seconds": 600},
        "policy_path": "cookies.__Host-crouter_sign_in",
    }
    choice = cookies["cc_cookie"]
    assert (choice["http_only"], choice["lifetime"]["words"]) == (False, "6 months")


def add_cookie(said: dict[str, Any]) -> None:
    said["cookies"]["op_visit"] = {
        "purpose": "improvement",
        "category": "analytics",
        "lifetime": "PT90M",
        "http_only": False,
        "same_site": "strict",
    }


def test_an_added_analytics_cookie_is_registered_disclosed_and_cleared() -> None:
    files = rendered(add_cookie)
    assert [cookie["name"] for cookie in files["cookies.json"]["cookies"]][-1] == "op_visit"
    [disclosed] = [d for d in files["device-storage.json"]["disclosures"] if d["identifier"] == "op_visit"]
    assert (disclosed["type"], disclosed["maxAgeSeconds"], disclosed["purposes"]) == ("cookie", 5400, [1, 8])
    assert files["consent.json"]["clears"]["analytics"]["cookies"] == ["op_visit"]
    assert configuration(files)["categories"]["analytics"]["autoClear"] == {"cookies": [{"name": "op_visit"}]}


def test_the_disclosure_of_device_storage_has_the_shape_that_iab_europe_wants() -> None:
    found = rendered()["device-storage.json"]
    for disclosure in found["disclosures"]:
        is_cookie = disclosure["type"] == "cookie"
        assert is_cookie or disclosure["type"] == "web"
        assert isinstance(disclosure["maxAgeSeconds"], int) is is_cookie
        assert isinstance(disclosure["cookieRefresh"], bool)
        assert disclosure["domains"] == ["crouter.dev"]
        assert all(isinstance(purpose, int) for purpose in disclosure["purposes"])
    told = [(d["identifier"], d["purposes"], d["optOut"]) for d in found["disclosures"]]
    assert told == [
        ("__Host-crouter_session", [], False),
        ("__Host-crouter_sign_in", [], False),
        ("cc_cookie", [], True),
        ("openpanel-pending-revenues", [1, 8], False),
    ]


@pytest.mark.claim("cookie-analytics", by="consent_configuration")
@pytest.mark.parametrize(
    ("mode", "library_mode", "enabled", "read_only", "asks"),
    [
        ("opt_in", "opt-in", False, False, True),
        ("opt_out", "opt-out", True, False, True),
        ("always", "opt-in", True, True, False),
    ],
)
def test_consent_is_asked_as_the_policy_says(
    mode: str, library_mode: str, enabled: bool, read_only: bool, asks: bool
) -> None:
    files = rendered(lambda said: said["consent"]["modes"].update(analytics=mode))
    found = configuration(files)
    analytics = found["categories"]["analytics"]
    assert (found["mode"], found["autoShow"]) == (library_mode, asks)
    assert (analytics["enabled"], analytics["readOnly"]) == (enabled, read_only)
    assert found["categories"]["necessary"] == {"enabled": True, "readOnly": True}
    assert files["analytics.json"]["mode"] == mode


def test_refusing_is_as_easy_as_accepting() -> None:
    found = configuration(rendered())
    assert all(modal["equalWeightButtons"] for modal in found["guiOptions"].values())
    for modal in found["language"]["translations"]["en"].values():
        assert modal["acceptAllBtn"]
        assert modal["acceptNecessaryBtn"]


def test_what_a_visitor_is_asked_names_who_what_and_why() -> None:
    asked = configuration(rendered())["language"]["translations"]["en"]["consentModal"]["description"]
    for words in (
        "OpenPanel",
        "page views and interactions",
        "improving the service",
        "user agent",
        "before you agree",
    ):
        assert words in asked


def test_the_choice_is_kept_in_the_declared_cookie_and_no_longer_than_declared() -> None:
    def edit(said: dict[str, Any]) -> None:
        said["cookies"]["choice"] = {**said["cookies"].pop("cc_cookie"), "lifetime": "PT36H", "same_site": "strict"}

    assert configuration(rendered(edit))["cookie"] == {
        "name": "choice",
        "path": "/",
        "secure": True,
        "sameSite": "Strict",
        "expiresAfterDays": 1.5,
    }
    assert configuration(rendered())["cookie"]["expiresAfterDays"] == 168


def test_without_a_cookie_for_the_choice_nobody_is_asked_and_nothing_begins() -> None:
    files = rendered(lambda said: said["cookies"].pop("cc_cookie"))
    assert files["consent.json"]["configuration"] is None
    assert files["consent.json"]["modes"]["analytics"] == "opt_in"


@pytest.mark.claim("cookie-analytics", by="consent_configuration")
def test_withdrawn_consent_clears_storage_of_every_kind() -> None:
    def edit(said: dict[str, Any]) -> None:
        said["storage"]["kept"] = {
            "kind": "local_storage",
            "purpose": "improvement",
            "category": "analytics",
            "lifetime": "persistent",
        }

    assert rendered(edit)["consent.json"]["clears"] == {
        "necessary": {"cookies": [], "local_storage": [], "session_storage": []},
        "analytics": {"cookies": [], "local_storage": ["kept"], "session_storage": ["openpanel-pending-revenues"]},
    }


@pytest.mark.parametrize(
    "edit",
    [
        add_cookie,
        lambda said: said["analytics"]["events"].pop("interaction"),
        lambda said: said["analytics"]["events"]["interaction"].update(properties=["path"]),
        lambda said: said["consent"]["modes"].update(analytics="opt_out"),
        lambda said: said["consent"].update(honours=[]),
        lambda said: said["processors"]["openpanel"].update(purposes=["improvement", "dashboard"]),
    ],
)
def test_visitors_are_asked_again_when_the_question_changes(edit: Edit) -> None:
    assert configuration(rendered(edit))["revision"] != configuration(rendered())["revision"]


def test_visitors_are_not_asked_again_when_it_does_not() -> None:
    def edit(said: dict[str, Any]) -> None:
        said["policy"]["version"] = "2.0"
        said["proxy"]["limits"]["requests_per_day"] = 7

    assert configuration(rendered(edit))["revision"] == configuration(rendered())["revision"]


@pytest.mark.claim("cookie-analytics", by="consent_configuration")
def test_a_policy_that_measures_nothing_has_no_analytics() -> None:
    def edit(said: dict[str, Any]) -> None:
        del said["analytics"]
        del said["storage"]
        for section in said["sections"]:
            section["claims"].pop("cookie-analytics", None)

    files = rendered(edit)
    assert "analytics.json" not in files
    assert files["storage.json"]["storage"] == []
    assert list(configuration(files)["categories"]) == ["necessary"]
    assert configuration(files)["autoShow"] is False
    assert "OpenPanel" not in str(files["consent.json"])


def test_support_of_global_privacy_control_is_told_with_the_date_of_the_policy() -> None:
    assert rendered()["gpc.json"] == {"gpc": True, "lastUpdate": "2025-01-05"}
    assert "gpc.json" not in rendered(lambda said: said["consent"].update(honours=[]))


def test_the_content_security_policy_of_the_text_file_is_the_one_that_is_sent() -> None:
    files = rendered()
    [sent] = [h["value"] for h in files["headers.json"]["response_headers"] if h["name"] == "Content-Security-Policy"]
    assert " ".join(files["content-security-policy.txt"].split()) == sent


class _Tags(HTMLParser):
    """The tags that a browser sees, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_text_of_the_policy_stays_text_where_the_consent_library_writes_html() -> None:
    def edit(said: dict[str, Any]) -> None:
        said["service"]["name"] = HOSTILE
        said["policy"]["title"] = HOSTILE
        said["purposes"]["improvement"]["label"] = HOSTILE
        said["processors"]["openpanel"]["label"] = HOSTILE
        said["analytics"]["events"]["page_view"]["label"] = HOSTILE
        said["analytics"]["never_sends"] = [HOSTILE]

    written = configuration(rendered(edit))["language"]
    tags, words = [], ""
    for text in texts(written):
        parser = _Tags()
        parser.feed(text)
        parser.close()
        tags += parser.tags
        words += parser.words
    assert tags == ["a"]
    assert words.count(HOSTILE) >= 6

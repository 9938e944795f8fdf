"""The plan of the pages follows every edit of the policy."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from crouter.contract.web import Cookie, StorageKey, Web
from crouter.plan.document_style import style_hash
from crouter.plan.web import CONTENT_SECURITY_POLICY, content_security_policy, plan_web
from crouter.policy.model import Policy

ROOT = Path(__file__).resolve().parents[3]
Edit = Callable[[dict[str, Any]], object]


def planned(edit: Edit = lambda said: None) -> Web:
    said = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    edit(said)
    return plan_web(Policy.model_validate_json(json.dumps(said, default=str)))


def header(web: Web, name: str) -> str:
    return dict(web.response_headers)[name]


def choice(web: Web) -> Cookie:
    return next(cookie for cookie in web.cookies if cookie.name == "cc_cookie")


def test_the_plan_of_our_own_policy_declares_what_the_policy_declares() -> None:
    web = planned()
    assert web.cookies == (
        Cookie("__Host-crouter_session", "authentication", "essential", 14 * 86400, True, "lax"),
        Cookie("__Host-crouter_sign_in", "authentication", "essential", 600, True, "lax"),
        Cookie("cc_cookie", "consent_record", "essential", 6 * 28 * 86400, False, "lax"),
    )
    assert web.storage == (StorageKey("openpanel-pending-revenues", "session_storage", "improvement", "analytics"),)
    assert web.analytics is not None
    assert (web.analytics.processor, web.analytics.relay_path, web.analytics.mode) == (
        "openpanel",
        "/relay/analytics",
        "opt_in",
    )


@pytest.mark.parametrize(
    ("edit", "look", "expected"),
    [
        (lambda s: s["cookies"].clear(), lambda w: w.cookies, ()),
        (lambda s: s["cookies"]["cc_cookie"].update(lifetime="session"), lambda w: choice(w).max_age_seconds, None),
        (lambda s: s["cookies"]["cc_cookie"].update(lifetime="PT1H"), lambda w: choice(w).max_age_seconds, 3600),
        (lambda s: s["cookies"]["cc_cookie"].update(same_site="strict"), lambda w: choice(w).same_site, "strict"),
        (
            lambda s: s["cookies"]["cc_cookie"].update(category="analytics"),
            lambda w: choice(w).category,
            "analytics",
        ),
        (lambda s: s.pop("storage"), lambda w: w.storage, ()),
        (lambda s: s.pop("analytics"), lambda w: w.analytics, None),
        (lambda s: s["analytics"].update(relay="/elsewhere"), lambda w: w.analytics.relay_path, "/elsewhere"),
        (lambda s: s["analytics"]["events"].pop("interaction"), lambda w: len(w.analytics.events), 1),
        (
            lambda s: s["analytics"]["events"]["page_view"].update(properties=["path"]),
            lambda w: w.analytics.events[0].properties,
            ("path",),
        ),
        (lambda s: s["consent"]["modes"].update(analytics="opt_out"), lambda w: w.analytics.mode, "opt_out"),
        (lambda s: s["consent"].pop("honours"), lambda w: w.analytics.honours, ()),
    ],
)
def test_an_edit_of_the_policy_changes_the_plan(edit: Edit, look: Callable[[Web], Any], expected: object) -> None:
    assert look(planned()) != expected
    assert look(planned(edit)) == expected


def test_without_a_mode_nothing_is_measured_unasked() -> None:
    web = planned(lambda said: said["consent"]["modes"].clear())
    assert web.analytics is not None
    assert web.analytics.mode == "opt_in"


@pytest.mark.claim("cookie-analytics", by="content_security_policy")
@pytest.mark.claim("cookie-no-ads", by="content_security_policy")
def test_pages_load_from_our_own_host_only() -> None:
    directives = dict(content_security_policy())
    assert directives["default-src"] == ("'none'",)
    assert directives["style-src"] == ("'self'", f"'{style_hash()}'")
    sources = {source for listed in directives.values() for source in listed}
    assert sources - {"'none'", "'self'", "data:", f"'{style_hash()}'"} == set()
    value = header(planned(), CONTENT_SECURITY_POLICY)
    assert "unsafe" not in value
    assert "*" not in value
    assert not re.search(r"https?:|\.[a-z]{2,}", value.replace(style_hash(), ""))


def test_the_content_security_policy_does_not_force_https_on_development() -> None:
    assert "upgrade-insecure-requests" not in header(planned(), CONTENT_SECURITY_POLICY)


@pytest.mark.claim("exclude-location")
def test_pages_may_use_nothing_that_tells_where_a_visitor_is() -> None:
    denied = header(planned(), "Permissions-Policy").split(", ")
    assert {"geolocation=()", "browsing-topics=()", "interest-cohort=()"} <= set(denied)
    assert all(entry.endswith("=()") for entry in denied)
    assert header(planned(), "Referrer-Policy") == "no-referrer"


def test_every_header_can_be_sent_as_it_is() -> None:
    for name, value in planned().response_headers:
        assert re.fullmatch(r"[A-Za-z-]+", name)
        assert re.fullmatch(r"[\x20-\x7e]+", value)


def test_the_privacy_policy_is_served_in_its_four_formats() -> None:
    served = {document.path: document.file for document in planned().documents}
    assert {path: served[path] for path in served if path.startswith("/privacy.")} == {
        f"/privacy.{ending}": f"policy/privacy-policy.{ending}" for ending in ("html", "md", "txt", "json")
    }


def test_support_of_global_privacy_control_is_published_only_where_it_is_honoured() -> None:
    def paths(web: Web) -> set[str]:
        return {document.path for document in web.documents}

    assert "/.well-known/gpc.json" in paths(planned())
    assert "/.well-known/gpc.json" not in paths(planned(lambda s: s["consent"].update(honours=["do_not_track"])))


def test_no_page_claims_what_nobody_can_keep_up_to_date() -> None:
    paths = {document.path for document in planned().documents}
    assert paths.isdisjoint({"/.well-known/security.txt", "/.well-known/dnt-policy.txt"})

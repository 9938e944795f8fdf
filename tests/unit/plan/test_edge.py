"""The plan of the edge follows the policy, and is nothing where the policy declares no edge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from crouter.plan.edge import Edge, plan_edge
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy

ROOT = Path(__file__).resolve().parents[3]
Edit = Callable[[dict[str, Any]], object]


def planned(edit: Edit = lambda said: None) -> Edge | None:
    said = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    edit(said)
    plan = make_plan(Policy.model_validate_json(json.dumps(said, default=str)))
    return plan_edge(plan.policy, plan.deployment)


def without_edge(said: dict[str, Any]) -> None:
    del said["security"]["edge"]
    for section in said["sections"]:
        section["claims"].pop("security-edge", None)


def test_without_an_edge_there_is_nothing_to_plan() -> None:
    assert planned(without_edge) is None


@pytest.mark.parametrize(
    ("edit", "look", "expected"),
    [
        (lambda s: s["service"].update(name="Other"), lambda e: e.service, "Other"),
        (lambda s: s["service"].update(url="https://a.example:8443/x"), lambda e: e.host, "a.example"),
        (lambda s: s["service"].update(url="https://a.example"), lambda e: e.worker_name, "a-example-edge"),
        (lambda s: s["security"]["https"].update(plain_http="redirect"), lambda e: e.plain_http, "redirect"),
        (lambda s: s["security"]["https"].update(minimum_tls="1.3"), lambda e: e.tls_minimum, "1.3"),
        (lambda s: s["security"]["https"].update(hsts="P1D"), lambda e: e.hsts_seconds, 86400),
        (lambda s: s["proxy"].update(drops_request_headers=["via"]), lambda e: e.drops_request_headers, ("via",)),
        (lambda s: s["proxy"]["routes"]["model"].update(path="/v2/m/{id}"), lambda e: e.api_prefixes, ("/v1", "/v2")),
        (lambda s: s["proxy"]["routes"]["model"].update(path="/{id}"), lambda e: e.api_prefixes, ("/v1", "")),
        (
            lambda s: s["security"]["edge"].update(compatibility_date="2024-11-10"),
            lambda e: e.compatibility_flags,
            ("cache_option_enabled",),
        ),
    ],
)
def test_an_edit_of_the_policy_changes_the_edge(edit: Edit, look: Callable[[Any], Any], expected: object) -> None:
    assert look(planned()) != expected
    assert look(planned(edit)) == expected


@pytest.mark.parametrize("host", ["a." * 100 + "example", "x.example", "a--b.c-d.example"])
def test_the_name_of_a_worker_is_one_that_cloudflare_takes(host: str) -> None:
    edge = planned(lambda said: said["service"].update(url=f"https://{host}"))
    assert edge is not None
    assert len(edge.worker_name) <= 63
    assert edge.worker_name.replace("-", "a").isalnum()
    assert not edge.worker_name.startswith("-")

"""The records say what the policy says, in the forms they are known in, and mark what is missing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from crouter.generate.templates import Templates
from crouter.generate.views import records
from crouter.generate.views.record_facts import MISSING
from crouter.plan.plan import Plan, make_plan
from crouter.policy.model import Policy

Edit = Callable[[Mapping[str, Any]], Policy]


@pytest.fixture(scope="module")
def data(files: dict[str, str]) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in files.items() if name.endswith(("json", "jsonld"))}


def drawn(policy: Policy) -> dict[str, str]:
    return records.render(make_plan(policy), Templates())


def test_the_processing_record_answers_article_30(data: dict[str, Any], written: dict[str, Any]) -> None:
    record = data["records/processing-record.json"]
    assert record["controller"]["contact"] == "contact@crouter.dev"
    assert [entry["purpose"] for entry in record["processing"]] == list(written["purposes"])
    billing = next(entry for entry in record["processing"] if entry["purpose"] == "billing")
    assert billing["legal_basis"]["article"] == "GDPR Article 6(1)(b)"
    assert billing["subjects"] == ["customer"]
    assert "usage.model" in billing["data"]
    assert set(billing["recipients"]) == {"stripe", "supabase"}
    assert billing["erasure"]["usage"][0] == (
        "kept for 12 months from occurred_at, gone at most 2 hours later, "
        "with its partition at most 1 day and 2 hours later, from backups at most 8 days and 2 hours later"
    )
    assert record["measures"]["keys"]["encryption"] == "AES-256-GCM"


def test_what_is_not_declared_is_missing_and_not_assumed(data: dict[str, Any]) -> None:
    record = data["records/processing-record.json"]
    assert record["transfers_to_third_countries"] == MISSING
    assert record["controller"]["data_protection_officer"] == MISSING
    assert {entry["transfers_to_third_countries"] for entry in record["processing"]} == {MISSING}
    assert data["records/tilt.json"]["dataProtectionOfficer"]["name"] == MISSING


def test_claims_say_which_have_a_mechanism(data: dict[str, Any], plan: Plan) -> None:
    claims = data["records/claims.json"]
    states = {claim["id"]: claim["state"] for claim in claims["claims"]}
    assert states["exclude-content"] == "enforced"
    assert states["no-office"] == "declared"
    assert all((claim["state"] == "enforced") == bool(claim["enforced_by"]) for claim in claims["claims"])
    assert sum(claims["counts"].values()) == len(claims["claims"])
    assert [claim["id"] for claim in claims["claims"]] == [claim.id for claim in plan.document.claims]


def test_json_ld_uses_declared_prefixes_and_refers_to_nodes_that_exist(data: dict[str, Any]) -> None:
    document = data["records/dpv.jsonld"]
    prefixes = set(document["@context"])
    text = json.dumps(document["@graph"])
    assert {name.partition(":")[0] for name in re.findall(r'"([a-z]+:[A-Za-z0-9-]+)"', text)} <= prefixes
    assert set(re.findall(r'"([a-z]+):[a-z]\w+":', text)) <= prefixes
    nodes = {node["@id"] for node in document["@graph"]}
    own = {ref for ref in re.findall(r'"@id": "([^"]+)"', text) if ref.startswith("https://crouter.dev/privacy")}
    assert own <= nodes
    # The context is part of the file; reading it needs no network.
    assert all(isinstance(value, str) for value in document["@context"].values())


def test_a_week_is_written_in_days_where_xml_schema_has_no_weeks(edit: Edit) -> None:
    text = drawn(edit({"retention/usage/keep": "P2W"}))["records/dpv.jsonld"]
    assert '"P14D"' in text
    assert '"P2W"' not in text


def test_the_manifest_has_the_shape_of_fideslang(data: dict[str, Any]) -> None:
    manifest = data["records/fideslang.json"]
    assert set(manifest) == {"organization", "system", "dataset"}
    keys = [entry["fides_key"] for part in manifest.values() for entry in part]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"[a-zA-Z0-9_.<>-]+", key) for key in keys)
    systems = {system["fides_key"]: system for system in manifest["system"]}
    for system in systems.values():
        assert all(flow["fides_key"] in systems for flow in system.get("egress", []))
        for declaration in system["privacy_declarations"]:
            assert declaration["data_categories"]
            assert set(declaration.get("egress", [])) <= set(systems)
    (dataset,) = manifest["dataset"]
    for collection in dataset["collections"]:
        names = [field["name"] for field in collection["fields"]]
        assert names == sorted(set(names))


def test_the_tilt_document_says_how_long(data: dict[str, Any]) -> None:
    tilt = data["records/tilt.json"]
    usage = next(entry for entry in tilt["dataDisclosed"] if entry["_id"] == "data.usage.fields.model")
    assert usage["storage"][0]["temporal"][0]["ttl"] == "P12M"


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict | list):
        for name, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(inner, f"{path}/{name}" if path else str(name))
    else:
        yield path, node


def test_every_value_of_the_policy_is_in_some_document_or_record(
    files: dict[str, str], written: dict[str, Any]
) -> None:
    everything = "\n".join(files.values())
    missing = [
        path
        for path, value in _leaves(written)
        if isinstance(value, str) and value not in everything and json.dumps(value)[1:-1] not in everything
    ]
    assert missing == []


def test_without_analytics_edge_and_storage_the_records_still_stand(edit: Edit, written: dict[str, Any]) -> None:
    claims = {name: claim for name, claim in written["sections"][7]["claims"].items() if name != "cookie-analytics"}
    security = {name: claim for name, claim in written["sections"][4]["claims"].items() if name != "security-edge"}
    services = {
        name: claim for name, claim in written["sections"][3]["claims"].items() if name != "processor-openpanel"
    }
    processors = {name: entry for name, entry in written["processors"].items() if name != "openpanel"}
    policy = edit(
        {
            "analytics": "(removed)",
            "security/edge": "(removed)",
            "storage": {},
            "processors": processors,
            "sections/7/claims": claims,
            "sections/4/claims": security,
            "sections/3/claims": services,
        }
    )
    assert "OpenPanel" not in "".join(drawn(policy).values())

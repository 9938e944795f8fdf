"""Every export is what its own community's tools take: read by them where they are packages, else held to a shape.

`dpv_terms.py` and `shapes.py` say what stands in for a tool that no package brings.
"""

import csv
import json
import subprocess
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rdflib import DCTERMS, RDF, XSD, BNode, Graph, Literal, URIRef

from crouter.generate.templates import Templates
from crouter.generate.views import records, web
from crouter.generate.views.record_facts import MISSING
from crouter.plan.plan import Plan, make_plan
from crouter.policy.load import load
from crouter.policy.model import Policy
from tests.document import dpv_terms, shapes

Edit = Callable[[Mapping[str, Any]], Policy]
ROOT = Path(__file__).parents[2]
FIDESLANG = ROOT / ".venv-fideslang" / "bin" / "python"
MINIMAL = ROOT / "tests" / "cases" / "minimal" / "policy.yaml"

# What the real policy does not use, so that no branch of an export goes unread.
EDITS: dict[str, Mapping[str, Any]] = {
    "the first policy": {},
    "an office, weeks, a right by consent": {
        "controller/office": "1 Main Street, Dublin",
        "retention/usage/keep": "P2W",
        "retention/evidence/keep": "P1Y2W",
        "purposes/improvement/basis": "legitimate_interests",
        "purposes/storage/basis": "public_task",
        "purposes/routing/basis": "vital_interests",
        "rights/copy": {"label": "a copy to take along", "article": 20, "formats": ["json"]},
        "sections/6/claims/right-copy": {"says": "right", "about": "rights.copy"},
        "processors/stripe/keeps/for": "none",
        "never/sale/not": ["collect", "track", "share", "sell"],
        "cookies/seen": {
            "purpose": "improvement",
            "category": "analytics",
            "lifetime": "session",
            "http_only": False,
            "same_site": "strict",
        },
    },
}


@pytest.fixture(scope="module", params=[*EDITS, "the smallest policy"])
def export_plan(request: pytest.FixtureRequest, edit: Edit) -> Plan:
    if request.param in EDITS:
        return make_plan(edit(EDITS[request.param]))
    policy = load(MINIMAL.read_text(encoding="utf-8")).policy
    assert policy is not None
    return make_plan(policy)


@pytest.fixture(scope="module")
def exports(export_plan: Plan) -> dict[str, str]:
    return {**records.render(export_plan, Templates()), **web.render(export_plan, Templates())}


# -- DPV


@pytest.fixture(scope="module")
def graph(exports: dict[str, str]) -> Graph:
    return Graph().parse(data=exports["records/dpv.jsonld"], format="json-ld")


def test_every_dpv_term_is_one_of_the_vocabulary(graph: Graph) -> None:
    spaces = (dpv_terms.DPV, dpv_terms.PERSONAL_DATA, dpv_terms.GDPR)
    predicates = {str(p) for p in graph.predicates() if str(p).startswith(spaces)}
    others = {str(t) for s, _, o in graph for t in (s, o) if isinstance(t, URIRef) and str(t).startswith(spaces)}
    assert predicates - dpv_terms.known_properties() == set()
    assert others - dpv_terms.known_classes() == set()
    assert len(predicates) > 10
    assert len(others) > 15


def test_an_invented_dpv_term_is_found(exports: dict[str, str]) -> None:
    text = exports["records/dpv.jsonld"].replace("dpv:hasName", "dpv:hasNickname")
    invented = Graph().parse(data=text, format="json-ld")
    assert {str(p) for p in invented.predicates()} & {f"{dpv_terms.DPV}hasNickname"}
    assert f"{dpv_terms.DPV}hasNickname" not in dpv_terms.known_properties()


# A shape: each property, and the class its objects have. "literal" and "term" are for those that are no node of ours.
RANGES = {
    "hasDataController": {"DataController"},
    "hasProcess": {"Process"},
    "hasRule": {"Prohibition"},
    "hasPolicy": {"LoggingPolicy"},
    "hasDataProcessor": {"DataProcessor"},
    "hasDataSource": {"DataSource"},
    "hasStorageCondition": {"StorageCondition", "StorageDeletion"},
    "hasDuration": {"TemporalDuration", "UntilEventDuration", "Duration"},
    "hasTechnicalMeasure": {
        "EncryptionAtRest",
        "EncryptionInTransfer",
        "HashMessageAuthenticationCode",
        "TechnicalMeasure",
    },
    "hasPurpose": {"term"},
    "hasLegalBasis": {"term"},
    "hasDataSubject": {"term"},
    "hasPersonalData": {"term"},
    "hasProcessing": {"term"},
    "hasName": {"literal"},
    "hasContact": {"literal"},
    "hasAddress": {"literal"},
}


def _kinds(graph: Graph, node: Any) -> set[str]:
    if isinstance(node, Literal):
        return {"literal"}
    kinds = {str(kind).removeprefix(dpv_terms.DPV) for kind in graph.objects(node, RDF.type)}
    return kinds or {"term" if str(node) in dpv_terms.known_classes() else "nothing"}


def test_dpv_properties_lead_to_what_they_are_for(graph: Graph) -> None:
    wrong = [
        (str(subject), name, _kinds(graph, node))
        for name, allowed in RANGES.items()
        for subject, node in graph.subject_objects(URIRef(f"{dpv_terms.DPV}{name}"))
        if not _kinds(graph, node) & allowed
    ]
    assert wrong == []


def test_every_dpv_process_says_why_on_what_basis_and_about_whom(graph: Graph, export_plan: Plan) -> None:
    processes = [
        node for node in graph.subjects(RDF.type, URIRef(f"{dpv_terms.DPV}Process")) if not isinstance(node, BNode)
    ]
    assert len(processes) == len(export_plan.policy.purposes)
    for process in processes:
        for name in ("hasPurpose", "hasLegalBasis", "hasDataController", "hasDataSubject"):
            assert graph.value(process, URIRef(f"{dpv_terms.DPV}{name}")) is not None, (process, name)


def test_dpv_nodes_have_a_type_and_durations_and_days_are_those_of_xml_schema(graph: Graph) -> None:
    own = {node for node in graph.subjects() if not str(node).startswith("https://w3id.org/")}
    assert [node for node in own if (node, RDF.type, None) not in graph] == []
    extents = list(graph.objects(None, DCTERMS.extent))
    assert extents
    # rdflib reads each value by its type, and leaves what it could not read without a value.
    assert all(isinstance(e, Literal) and e.datatype == XSD.duration and e.value is not None for e in extents)
    days = [*graph.objects(None, DCTERMS.issued), *graph.objects(None, DCTERMS.date)]
    assert all(isinstance(day, Literal) and day.value is not None for day in days)


# -- fideslang


def read_by_fideslang(manifest: Path) -> dict[str, Any]:
    if not FIDESLANG.exists():
        pytest.skip("NOT TESTED with fideslang: `make setup` installs it into .venv-fideslang")
    done = subprocess.run(
        [FIDESLANG, Path(__file__).with_name("fideslang_reader.py"), manifest],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_fideslang_reads_the_manifest_and_knows_every_key_and_term(
    exports: dict[str, str], export_plan: Plan, tmp_path: Path
) -> None:
    manifest = tmp_path / "fideslang.json"
    manifest.write_text(exports["records/fideslang.json"], encoding="utf-8")
    found = read_by_fideslang(manifest)
    policy = export_plan.policy
    assert found["systems"] == [policy.service.name, *(party.label for party in policy.processors.values())]
    assert found["unknown"] == []


def test_a_key_or_a_term_that_fideslang_does_not_know_is_found(files: dict[str, str], tmp_path: Path) -> None:
    manifest = json.loads(files["records/fideslang.json"])
    manifest["system"][0]["nickname"] = "x"
    manifest["system"][1]["privacy_declarations"][0]["data_use"] = "essential.fun"
    manifest["dataset"][0]["collections"][0]["fields"][0]["kept"] = "x"
    planted = tmp_path / "fideslang.json"
    planted.write_text(json.dumps(manifest), encoding="utf-8")
    assert read_by_fideslang(planted)["unknown"] == [
        "/system/0/nickname",
        "/dataset/0/collections/0/fields/0/kept",
        "/system/1/privacy_declarations/0/data_use: essential.fun",
    ]


# -- TILT, device storage, Global Privacy Control


def problems(schema: shapes.Schema, text: str) -> list[str]:
    Draft202012Validator.check_schema(schema)
    found = Draft202012Validator(schema).iter_errors(json.loads(text))
    return [f"{error.json_path}: {error.message}" for error in found]


def test_tilt_has_the_shape_of_its_schema(exports: dict[str, str]) -> None:
    assert problems(shapes.TILT, exports["records/tilt.json"]) == []


def test_device_storage_has_the_shape_of_iab_europes_disclosure(exports: dict[str, str]) -> None:
    assert problems(shapes.DEVICE_STORAGE, exports["web/device-storage.json"]) == []


def test_gpc_json_has_the_shape_of_the_support_resource(exports: dict[str, str], export_plan: Plan) -> None:
    honours = "global_privacy_control" in export_plan.policy.consent.honours
    assert ("web/gpc.json" in exports) is honours
    if honours:
        assert problems(shapes.GPC, exports["web/gpc.json"]) == []


@pytest.mark.parametrize(
    ("schema", "name", "old", "new"),
    [
        (shapes.TILT, "records/tilt.json", '"country": "ZZ"', '"country": "unknown"'),
        (shapes.TILT, "records/tilt.json", '"aggregationFunction": "min"', '"aggregationFunction": "least"'),
        (shapes.TILT, "records/tilt.json", '"status": "active"', '"status": "active", "more": 1'),
        (shapes.DEVICE_STORAGE, "web/device-storage.json", '"type": "web"', '"type": "cookie"'),
        (shapes.DEVICE_STORAGE, "web/device-storage.json", '"type": "web"', '"type": "flash"'),
        (shapes.GPC, "web/gpc.json", '"gpc": true', '"gpc": "true"'),
    ],
)
def test_a_planted_fault_is_found(plan: Plan, schema: shapes.Schema, name: str, old: str, new: str) -> None:
    text = {**records.render(plan, Templates()), **web.render(plan, Templates())}[name]
    assert old in text
    assert problems(schema, text.replace(old, new, 1))


# -- The processing record


def test_the_processing_record_is_a_table_of_equal_rows_that_name_every_purpose(
    exports: dict[str, str], export_plan: Plan
) -> None:
    rows = list(csv.DictReader(StringIO(exports["records/processing-record.csv"]), strict=True))
    assert {None} & {key for row in rows for key in row} == set()
    assert list(dict.fromkeys(row["purpose"] for row in rows)) == [
        purpose.label for purpose in export_plan.policy.purposes.values()
    ]
    assert {row["third_countries"] for row in rows} == {MISSING}
    assert all(row["controller"] and row["legal_basis"] for row in rows)

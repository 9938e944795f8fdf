"""The records that a regulator, a customer's lawyer or another tool asks for, each in the form it is known in.

| file | form |
| --- | --- |
| processing-record.json, .csv | GDPR Article 30(1) |
| dpv.jsonld | W3C Data Privacy Vocabulary 2 |
| fideslang.json | fideslang manifest |
| tilt.json | Transparency Information Language |
| processing-record.html | the same for people, with the diagram |
| data-flow.svg, .mmd | who gives what to whom, as a picture and as Mermaid |
| registry.json | everything that holds data: tables, files, logs; how each ends |
| claims.json | each sentence of the policy and what enforces it today |

What policy.yaml does not say is marked as missing in every one of them; nothing is assumed.
"""

from dataclasses import asdict
from typing import Any

from crouter.generate.templates import Templates
from crouter.generate.views.json_file import json_file
from crouter.generate.views.record_article30 import processing_record, processing_rows
from crouter.generate.views.record_dpv import dpv_graph
from crouter.generate.views.record_fideslang import fideslang_manifest
from crouter.generate.views.record_flow import data_flow
from crouter.generate.views.record_flow_mermaid import mermaid
from crouter.generate.views.record_flow_svg import flow_view
from crouter.generate.views.record_page import record_view
from crouter.generate.views.record_table import csv_table
from crouter.generate.views.record_tilt import tilt_document
from crouter.plan.document import DocumentClaim
from crouter.plan.plan import Plan
from crouter.plan.registry import registry_of


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """The records: path under generated/ to text. Only what people look at is drawn by a template."""
    flow = data_flow(plan.policy)
    picture = flow_view(flow, plan.header)
    page = record_view(plan, templates.render("records/data-flow-picture.svg.jinja", picture))
    return {
        "records/processing-record.json": json_file(processing_record(plan)),
        "records/processing-record.csv": csv_table(processing_rows(plan)),
        "records/processing-record.html": templates.render("records/processing-record.html.jinja", page),
        "records/dpv.jsonld": json_file(dpv_graph(plan)),
        "records/fideslang.json": json_file(fideslang_manifest(plan)),
        "records/tilt.json": json_file(tilt_document(plan)),
        "records/data-flow.mmd": mermaid(flow, plan.header),
        "records/data-flow.svg": templates.render("records/data-flow.svg.jinja", picture),
        "records/claims.json": json_file(claims(plan)),
        "records/registry.json": json_file(registry(plan)),
    }


def registry(plan: Plan) -> dict[str, Any]:
    """Everything that holds data, as `crouter/plan/registry.py` has it."""
    return {"generated": plan.header, "policy_digest": plan.digest, **asdict(registry_of(plan.deployment))}


def claims(plan: Plan) -> dict[str, Any]:
    """Each claim and whether a mechanism enforces it, a person keeps it, or only its declaration stands behind it."""
    entries = [_claim(plan, section.title, claim) for section in plan.document.sections for claim in section.claims]
    states = [entry["state"] for entry in entries]
    return {
        "generated": plan.header,
        "policy_digest": plan.digest,
        "counts": {state: states.count(state) for state in ("enforced", "manual", "declared")},
        "claims": entries,
    }


def _claim(plan: Plan, section: str, claim: DocumentClaim) -> dict[str, Any]:
    manual = next(one.claims[claim.id].manual for one in plan.policy.sections if claim.id in one.claims)
    return {
        "id": claim.id,
        "section": section,
        "text": claim.text,
        "about": claim.about,
        "enforced_by": list(claim.enforced_by),
        "manual": {"owner": manual.owner, "review": manual.review.isoformat()} if manual else None,
        "state": "enforced" if claim.enforced_by else "manual" if manual else "declared",
    }

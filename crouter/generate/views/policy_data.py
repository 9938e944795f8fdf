"""The privacy policy as JSON: every sentence in its segments, each value with its place in policy.yaml."""

from typing import Any

from crouter.generate.views.json_file import json_file
from crouter.plan.document import Document, DocumentClaim
from crouter.plan.phrases import Segment, Sentence, Text
from crouter.plan.plan import Plan


def policy_data(plan: Plan, document: Document) -> str:
    """The text of privacy-policy.json, for the document in one of its languages."""
    return json_file(
        {
            "generated": plan.header,
            "policy_digest": plan.digest,
            "title": document.title,
            "service": {"name": document.service, "url": document.url, "description": document.description},
            "contact": document.contact,
            "version": document.version,
            "effective": document.effective.isoformat(),
            "locale": document.locale,
            "sections": [
                {
                    "number": section.number,
                    "title": section.title,
                    "claims": [_claim(claim) for claim in section.claims],
                }
                for section in document.sections
            ],
        }
    )


def _claim(claim: DocumentClaim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "says": claim.says,
        "about": claim.about,
        "enforced_by": list(claim.enforced_by),
        "text": claim.text,
        "sentences": [_sentence(sentence) for sentence in claim.sentences],
    }


def _sentence(sentence: Sentence) -> dict[str, Any]:
    return {"text": sentence.text, "segments": [_segment(segment) for segment in sentence.segments]}


def _segment(segment: Segment) -> dict[str, Any]:
    if isinstance(segment, Text):
        return {"text": segment.text}
    said: dict[str, Any] = {"text": segment.text, "policy_path": segment.path}
    if segment.also:
        said["also"] = list(segment.also)
    if segment.link is not None:
        said["link"] = segment.link
    return said

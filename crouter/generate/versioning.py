"""Decides which version of the policy a policy.yaml makes, what may not become one, and writes its files."""

from dataclasses import dataclass

from crouter.generate.history import text_digest
from crouter.generate.templates import Templates
from crouter.generate.versions import CHANGES, POLICY, SENTENCES, Version, Versions, folder_name
from crouter.generate.views.json_file import json_file
from crouter.generate.views.policy_changes import changes_view
from crouter.plan.difference.change import Difference
from crouter.plan.difference.difference import compare
from crouter.plan.difference.paragraph import what_changed
from crouter.plan.difference.said import said_differently, texts
from crouter.plan.difference.unsaid import unsaid_between
from crouter.plan.document import compose_document
from crouter.plan.plan import Plan
from crouter.policy.model import Policy
from crouter.policy.problems import Path

_RAISE = "raise policy.version and policy.effective"


@dataclass(frozen=True, slots=True)
class VersionProblem:
    """Why a policy cannot be a version beside those that exist. `path` leads into policy.yaml."""

    code: str
    path: Path
    sentence: str
    hint: str


class VersionRefusedError(Exception):
    """The policy cannot become a version as it is. Nothing was written."""

    def __init__(self, problems: tuple[VersionProblem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.code} {problem.sentence}" for problem in problems))


def version_problems(policy: Policy, versions: Versions) -> tuple[VersionProblem, ...]:
    """What stands against this policy as the next version, or as another draft of the last one. Pure."""
    last = versions.last
    if last is None:
        return ()
    problems = (*_problems_of_name(policy, versions), *_problems_of_date(policy, versions))
    before = versions.policy_of(last) if last.path(POLICY) in versions.texts else None
    unsaid = unsaid_between(before, policy) if before is not None else ()
    return (*problems, *(VersionProblem("PV-03", item.path, item.sentence, item.hint) for item in unsaid))


def extend_versions(plan: Plan, templates: Templates, versions: Versions) -> Versions:
    """`versions` with the plan's policy as their last one. A frozen version stays as it is, to the byte. Pure."""
    policy = plan.policy
    if any(entry.frozen and entry.version == policy.policy.version for entry in versions.entries):
        return versions
    earlier = versions.without_draft(policy.policy.version)
    files = {POLICY: policy_json(policy), SENTENCES: _sentences_json(plan)}
    changed, significant = "", False
    if earlier.last is not None:
        before = earlier.policy_of(earlier.last)
        difference = compare(before, policy) if before is not None else None
        changed = _changed(difference, earlier.last.version)
        significant = difference is None or bool(difference.significant)
        said = said_differently(earlier.sentences_of(earlier.last), texts(plan.document))
        view = changes_view(plan, earlier.last.version, earlier.last.effective, changed, said)
        files[CHANGES] = templates.render("policy/history/changes.md.jinja", view)
    entry = Version(
        version=policy.policy.version,
        name=folder_name(policy.policy.version),
        effective=policy.policy.effective,
        policy_digest=plan.digest,
        frozen=False,
        significant=significant,
        changed=changed,
        files={name: text_digest(text) for name, text in files.items()},
    )
    return earlier.followed_by(entry, {entry.path(name): text for name, text in files.items()})


def policy_json(policy: Policy) -> str:
    """The policy as its history keeps it: everything that it says, without comments and layout."""
    return json_file(policy.model_dump(mode="json", by_alias=True))


def _problems_of_name(policy: Policy, versions: Versions) -> tuple[VersionProblem, ...]:
    wanted, last = policy.policy.version, versions.entries[-1]
    frozen = next((entry for entry in versions.entries if entry.frozen and entry.version == wanted), None)
    if frozen is None:
        return ()
    if frozen == last:
        if not _differs_for_readers(versions, frozen, policy):
            return ()
        sentence = f"version {wanted} is published already, and this policy says something else"
        return (VersionProblem("PV-01", ("policy", "version"), sentence, _RAISE),)
    sentence = f"version {wanted} is final already: version {last.version} came after it"
    hint = f"{_RAISE}; to drop a draft, restore generated/policy/history from version control"
    return (VersionProblem("PV-01", ("policy", "version"), sentence, hint),)


def _differs_for_readers(versions: Versions, published: Version, policy: Policy) -> bool:
    """Whether any sentence reads differently, or something changes that has to be announced."""
    if said_differently(versions.sentences_of(published), texts(compose_document(policy))):
        return True
    before = versions.policy_of(published)
    return before is not None and bool(compare(before, policy).significant)


def _problems_of_date(policy: Policy, versions: Versions) -> tuple[VersionProblem, ...]:
    earlier = versions.without_draft(policy.policy.version).last
    if earlier is None or earlier.version == policy.policy.version or policy.policy.effective > earlier.effective:
        return ()
    sentence = (
        f"version {policy.policy.version} takes effect on {policy.policy.effective.isoformat()}, "
        f"which is not after version {earlier.version} ({earlier.effective.isoformat()})"
    )
    return (VersionProblem("PV-02", ("policy", "effective"), sentence, "write a later day"),)


def _changed(difference: Difference | None, earlier: str) -> str:
    if difference is None:
        return f"Version {earlier} was written in an older policy language: compare the sentences of the two."
    return what_changed(difference, earlier)


def _sentences_json(plan: Plan) -> str:
    document = plan.document
    return json_file(
        {
            "version": document.version,
            "effective": document.effective.isoformat(),
            "effective_words": document.effective_words,
            "policy_digest": plan.digest,
            "title": document.title,
            "service": document.service,
            "locale": document.locale,
            "sections": [
                {"title": section.title, "claims": [{"id": claim.id, "text": claim.text} for claim in section.claims]}
                for section in document.sections
            ],
        }
    )

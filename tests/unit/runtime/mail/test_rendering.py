"""What people read: every mail of policy.yaml, in both forms, and nothing in it that calls home."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from crouter.contract.deployment import Deployment
from crouter.contract.mail import MailTemplate, MailValue
from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.generate.templates import Templates
from crouter.generate.versioning import extend_versions
from crouter.generate.versions import Versions
from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.policy.model import Policy
from crouter.runtime.mail.rendering import Rendering, date_words, moment_words
from crouter.runtime.mail.values import MailRefusedError, encoded
from tests.unit.runtime.retention.databases import ROOT

EXAMPLES: dict[str, object] = {
    "money": 12_340_000_000,
    "date": date(2026, 12, 1),
    "moment": datetime(2026, 12, 1, 22, 5, tzinfo=UTC),
    "count": 3,
    "word": "ab12",
    "page": "/dashboard",
    "right": "access",
    "version": "2.0",
}


@dataclass
class Said:
    deployment: Deployment
    generated: Path

    @property
    def rendering(self) -> Rendering:
        return Rendering(self.deployment, self.generated)

    def words(self, template: MailTemplate) -> dict[str, str]:
        return encoded(template, {value.name: EXAMPLES[value.kind] for value in template.values})


def policy() -> Policy:
    found = load_file(ROOT / "policy.yaml").policy
    assert found is not None
    return found


TEMPLATES = sorted(policy().mail)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Two versions of the policy, the second of which keeps usage longer."""
    generated, first = tmp_path_factory.mktemp("generated"), policy()
    dates = first.policy.model_copy(update={"version": "2.0", "effective": date(2027, 1, 1)})
    longer = {**first.retention, "usage": first.retention["usage"].model_copy(update={"keep": "P24M"})}
    second = Policy.model_validate_json(
        first.model_copy(update={"policy": dates, "retention": longer}).model_dump_json(by_alias=True)
    )
    versions = Versions.empty()
    for one in (first, second):
        versions = extend_versions(make_plan(one), Templates(), versions)
    for path, text in render_all(second, History.empty(), versions).items():
        (generated / path).parent.mkdir(parents=True, exist_ok=True)
        (generated / path).write_text(text, encoding="utf-8")
    return Said(make_plan(second).deployment, generated)


@pytest.mark.claim("use-email", by="declared_mail")
@pytest.mark.parametrize("name", TEMPLATES)
def test_use_email__every_declared_mail_is_what_was_read_last(
    name: str, said: Said, snapshot: SnapshotAssertion
) -> None:
    assert said.deployment.mail is not None
    rendered = said.rendering.render(name, said.words(said.deployment.mail.template(name)))
    assert f"Subject: {rendered.subject}\n\n{rendered.text}\n{rendered.html}" == snapshot


def test_the_templates_are_those_that_policy_yaml_declares() -> None:
    folder = ROOT / "crouter" / "runtime" / "mail" / "templates"
    shared = {"layout", "parts.txt", "parts.html"}
    assert sorted({path.name.removesuffix(".jinja") for path in folder.iterdir()} - shared) == TEMPLATES


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {value or "" for name, value in attributes if name in ("href", "src", "action", "background")}
        assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_mail_loads_nothing_and_links_to_our_own_pages_only(name: str, said: Said) -> None:
    assert said.deployment.mail is not None
    rendered = said.rendering.render(name, said.words(said.deployment.mail.template(name)))
    links = Links()
    links.feed(rendered.html)
    assert links.tags <= {"html", "head", "meta", "title", "body", "p", "table", "tr", "th", "td", "a", "hr", "small"}
    own = said.deployment.identity.url
    found = links.addresses | set(re.findall(r"https?://[^\s]+", rendered.text))
    assert all(address.startswith(f"{own}/") and "?" not in address for address in found), found


@pytest.mark.parametrize("name", TEMPLATES)
def test_both_forms_say_the_same(name: str, said: Said) -> None:
    assert said.deployment.mail is not None
    rendered = said.rendering.render(name, said.words(said.deployment.mail.template(name)))
    body = rendered.html.partition("<body>")[2]
    read = re.sub(r"<a href=\"([^\"]*)\">([^<]*)</a>", r"\2 \1", body)
    seen = re.findall(r"\w+", re.sub(r"<[^>]+>", " ", read))
    assert seen == re.findall(r"\w+", rendered.text)


def test_values_cannot_become_markup_or_lines(said: Said) -> None:
    """The types forbid it; what is drawn does not rely on them."""
    assert said.deployment.mail is not None
    words = {"last_four": "<b>\r\nBcc: x</b>", "at": "2026-12-01T22:05:00+00:00"}
    rendered = said.rendering.render("key_created", words)
    assert "<b>" not in rendered.html
    assert "&lt;b&gt;" in rendered.html
    assert "\n" not in rendered.subject
    assert "\nBcc" not in rendered.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("newsletter", {}),
        ("receipt", {}),
        ("receipt", {"amount": "x", "balance": "1", "day": "2026-12-01"}),
        ("policy_change", {"version": "9.9"}),
    ],
)
def test_what_is_not_declared_or_not_there_is_refused(name: str, words: dict[str, str], said: Said) -> None:
    with pytest.raises(MailRefusedError):
        said.rendering.render(name, words)


def test_days_and_moments_are_written_as_the_policy_writes_them() -> None:
    assert date_words(date(2025, 1, 5)) == "January 5, 2025"
    assert moment_words(datetime.fromisoformat("2025-01-05T01:00:00+02:00")) == "January 4, 2025, 23:00 UTC"


def test_every_type_of_value_can_be_shown(said: Said) -> None:
    for kind, example in EXAMPLES.items():
        template = MailTemplate("one", "mail.one", "billing_notices", (MailValue("x", kind, (("access", "a copy"),)),))  # type: ignore[arg-type]
        assert encoded(template, {"x": example})["x"]

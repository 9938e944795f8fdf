"""`lint` finds what contradicts, what is unsaid and what is badly said; and nothing in a policy that says it all."""

from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crouter.plan.wording import SENTENCE_RULES
from crouter.policy.code import Profile
from crouter.policy.codes import CODES
from crouter.policy.document import read
from crouter.policy.lint import LINT_RULES, Report, lint
from crouter.policy.load import load
from crouter.policy.problems import as_text
from crouter.policy.rules.frame import Rule, apply
from crouter.policy.rules_reference import ELSEWHERE, rules_reference
from crouter.policy.validate import validate
from tests.unit.policy import cases
from tests.unit.policy.test_load import POLICY, ROOT

TREE = yaml.safe_load(POLICY.read_bytes())
OURS = POLICY.read_text(encoding="utf-8")


def linted(text: str, *profiles: Profile, today: date = cases.TODAY) -> Report:
    return lint(text, "policy.yaml", today, profiles, SENTENCE_RULES)


def codes(report: Report) -> set[str]:
    return {problem.code for problem in report.problems}


@pytest.mark.parametrize("name", cases.FINDINGS)
def test_a_policy_gets_exactly_these_findings(name: str) -> None:
    report = cases.linted(name)
    expected = (cases.CASES / "findings" / name / "problems.txt").read_text(encoding="utf-8")
    assert as_text(report.problems) == expected
    assert expected


def test_nothing_is_found_where_everything_is_said() -> None:
    assert as_text(linted(cases.COMPLETE.read_text(encoding="utf-8")).problems) == ""


def test_our_own_policy_has_no_error_and_leaves_things_unsaid() -> None:
    report = linted(OURS)
    assert report.errors == 0
    assert report.profiles == ("gdpr",)
    assert {"PC-01", "PC-03", "PC-07", "PX-21", "PW-03"} <= codes(report)


def test_every_rule_has_a_case_that_breaks_it() -> None:
    broken: set[Rule] = set()
    for name in cases.FINDINGS:
        document = read(cases.finding_text_of(name), name)
        parts = validate(document).parts
        rules = (*LINT_RULES, *SENTENCE_RULES)
        broken |= {rule for rule in rules if rule not in broken and list(apply([rule], parts, document))}
    # Composed sentences hedge; they praise nothing and take nothing for consent, and these rules see that it stays so.
    unbroken = [rule.code for rule in (*LINT_RULES, *SENTENCE_RULES) if rule not in broken]
    assert unbroken == ["PW-02", "PW-03"]


def test_completeness_depends_on_the_profiles() -> None:
    text = cases.MINIMAL.read_text(encoding="utf-8")
    assert "PC-08" not in codes(linted(text, "gdpr"))
    assert "PC-08" in codes(linted(text, "uk"))
    assert "PC-20" in codes(linted(text, "gdpr", "ccpa"))
    for profile in ("gdpr", "uk", "ccpa"):
        told = {code for code in codes(linted(text, profile)) if code.startswith("PC")}
        assert told
        assert all(profile in CODES[code].profiles for code in told)


def _waiver(**changes: Any) -> str:
    entry = {
        "rule": "PX-21",
        "place": "sources.google_sign_in",
        "reason": "it gets nothing",
        "owner": "Ada",
        "expires": date(2026, 3, 31),
        **changes,
    }
    return yaml.safe_dump({**TREE, "waivers": [entry]}, sort_keys=False)


def test_a_waiver_takes_its_finding_out_until_its_last_day() -> None:
    last = date(2026, 3, 31)
    report = linted(_waiver(), today=last)
    assert [waived.problem.code for waived in report.waived] == ["PX-21"]
    assert not {"PX-21", "PL-02", "PL-03"} & codes(report)
    later = linted(_waiver(), today=last + timedelta(days=1))
    assert {"PX-21", "PL-03"} <= codes(later)
    assert later.errors == 1
    assert later.waived == ()


@pytest.mark.parametrize("place", ["sources.google", "sources.google_sign_in.labels", "sources.crouter"])
def test_a_waiver_covers_its_own_place_only(place: str) -> None:
    assert {"PX-21", "PL-02"} <= codes(linted(_waiver(place=place)))


def test_a_waiver_of_another_profile_is_not_called_unused() -> None:
    text = _waiver(rule="PC-20", place="policy.profiles")
    assert "PL-02" not in codes(linted(text, "gdpr"))
    assert [waived.problem.code for waived in linted(text, "ccpa").waived] == ["PC-20"]


CONTRADICTORY = OURS.replace("removed: number", "removed: number, city: word")


def test_a_waived_error_loads_until_the_waiver_expires() -> None:
    waiver = "waivers: [{rule: PX-04, place: logging, reason: of the server, owner: Ada, expires: 2026-03-31}]\n"
    assert load(CONTRADICTORY).policy is None
    accepted = load(CONTRADICTORY + waiver, today=date(2026, 3, 31))
    assert accepted.policy is not None
    assert [waived.problem.code for waived in accepted.waived] == ["PX-04"]
    expired = load(CONTRADICTORY + waiver, today=date(2026, 4, 1))
    assert expired.policy is None
    assert {problem.code for problem in expired.problems} == {"PX-04", "PL-03"}


def test_mistakes_of_structure_cannot_be_waived() -> None:
    report = linted(_waiver(rule="PR-52"))
    assert "PM-06" in codes(report)


def test_docs_rules_md_is_in_step() -> None:
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == rules_reference(), "docs/rules.md is not in step: run `make generate`"
    for code in CODES:
        if code.startswith(("PX", "PC", "PW", "PL")):
            assert f"\n### {code}\n" in written
    assert CODES.keys() >= ELSEWHERE.keys()


def test_every_rule_about_promises_names_its_source() -> None:
    for name, code in CODES.items():
        assert bool(code.source) == name.startswith(("PX", "PC", "PW")), name
        assert bool(code.profiles) == name.startswith("PC"), name


# Edits of our own policy that leave it as consistent as it was.
CONSISTENT = {
    "another period": ("keep: P12M, from", "keep: P6M, from"),
    "a field of another label": ("label: name, type: text", "label: display name, type: text"),
    "another host": ("hosts: [api.stripe.com]", "hosts: [api.stripe.com, checkout.stripe.com]"),
    "opt-out analytics on another basis": ("as_of: timestamp", "as_of: timestamp, region_count: number"),
    "more headers dropped": ("drops_request_headers: [", "drops_request_headers: [x-something, "),
    "more log fields": ("count: number}", "count: number, output_tokens: number, attempt: number}"),
    "more metric labels": ("labels: [route, status]", "labels: [route, status, model]"),
    "one more promise": ("not: [track]", "not: [track, collect, store, log]"),
    "a shared promise": ("not: [store, log, retain]", "not: [store, log, retain, collect]"),
    "a never about telemetry of others": ("covers: [card number,", "covers: [bank account, card number,"),
    "a reason that names a key": ("why: orders keys", "why: orders the names of keys by age"),
}
NOISY = {"opt-out analytics on another basis"}


@pytest.mark.parametrize("name", CONSISTENT)
def test_a_consistent_edit_brings_no_contradiction(name: str) -> None:
    old, new = CONSISTENT[name]
    assert old in OURS
    errors = [problem for problem in load(OURS.replace(old, new, 1)).problems if problem.code.startswith("PX")]
    assert (as_text(errors) == "") == (name not in NOISY)


# Edits that contradict our own policy, in words and places that no rule is written for.
CONTRADICTIONS = {
    "an IP column": (
        "removed: {type: count",
        "client_addr_ipv4: {type: text, why: x}\n      removed: {type: count",
        "PX-03",
    ),
    "a postcode column": (
        "removed: {type: count",
        "postcode: {type: text, why: x}\n      removed: {type: count",
        "PX-02",
    ),
    "a log field": ("error: word, count", "error: word, geoip_country: word, count", "PX-04"),
    "a label": ("labels: [kind]", "labels: [kind, remote_addr]", "PX-05"),
    "no cf headers dropped": ("cf-*, cdn-loop,", "cdn-loop,", "PX-06"),
    "no forwarded headers dropped": ("x-forwarded, x-forwarded-*,", "x-forwarded,", "PX-06"),
    "analytics with the address": ("never_sends: [IP address, ", "never_sends: [", "PX-05"),
    "prompt text in the log": ("error: word, count", "prompt_text: word, count", "PX-04"),
    "a card column": ("removed: {type: count", "cvc: {type: text, why: x}\n      removed: {type: count", "PX-02"),
    "marketing": ("data_use: analytics.reporting", "data_use: marketing.communications.email", "PX-08"),
    "analytics gets accounts": ("receives: [analytics]", "receives: [analytics, account]", "PX-16"),
    "a vendor in a text": ("does: payment processing", "does: payment processing, with alerts in Datadog", "PX-20"),
    "a mail vendor": ("label: billing notices", "label: billing notices sent by Mailgun", "PX-23"),
    "always on": ("analytics: opt_in", "analytics: always", "PX-27"),
    "opt out": ("analytics: opt_in", "analytics: opt_out", "PX-27"),
    "essential analytics": (
        "purpose: improvement, category: analytics",
        "purpose: improvement, category: essential",
        "PX-25",
    ),
    "no edge": (
        "  edge: {processor: cloudflare, runtime: Cloudflare Workers, compatibility_date: 2026-04-26}\n",
        "",
        "PX-24",
    ),
    "a general law": ('law: "Directive 2006/112/EC, Article 369k (VAT records)"', "law: legal obligations", "PX-13"),
    "another vendor's host": ("hosts: [api.stripe.com]", "hosts: [api.segment.io]", "PX-19"),
    "end to end": ("does: infrastructure and request routing", "does: end-to-end encrypted request routing", "PX-28"),
    "another cipher": ("does: infrastructure and request routing", "does: routing with ChaCha20", "PX-28"),
    "a typed period": ("label: usage data\n", "label: usage data of 90 days\n", "PX-11"),
    "never sold": ("policy_covers: account data", "policy_covers: e-mail addresses, never tracked", "PX-30"),
    "account data shared": ("not: [sell, rent, share_for_marketing]", "not: [share]", "PX-07"),
    "no logs": ("with a prepaid balance", "with a prepaid balance and a no-logs promise", "PX-30"),
    "never shared": ("title: Your Rights", "title: We Never Share Your Data", "PX-30"),
    "a network address hashed": (
        "as_of: {type: timestamp, why: the",
        "ip_hash: {type: text, why: x}\n      as_of: {type: timestamp, why: the",
        "PX-03",
    ),
    "zero retention": ("policy_covers: request data", "policy_covers: request data with zero retention", "PX-09"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradictory_edit_is_caught_by_its_rule(name: str) -> None:
    old, new, code = CONTRADICTIONS[name]
    assert old in OURS
    found = {problem.code for problem in load(OURS.replace(old, new, 1)).problems}
    assert code in found


WORDS = ("city", "IP address", "card", "prompt", "Google", "P30D", "never sold", "may", "6 months", "TLS 1.3", "ä", "x")
few = settings(max_examples=60, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


@few
@given(st.data())
def test_no_rule_raises_on_a_policy_whose_texts_are_anything(data: st.DataObject) -> None:
    text = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30) | st.sampled_from(WORDS)

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: data.draw(text) if key in ("label", "does", "law", "why", "when") and isinstance(item, str)
                else changed(item)
                for key, item in value.items()
            }  # fmt: skip
        return [changed(item) for item in value] if isinstance(value, list) else value

    report = linted(yaml.safe_dump(changed(TREE), sort_keys=False, allow_unicode=True), "gdpr", "uk", "ccpa")
    assert all(problem.place.line for problem in report.problems)


@few
@given(st.dictionaries(st.sampled_from(sorted(TREE)), st.none() | st.integers() | st.just([]), max_size=3))
def test_no_rule_raises_on_a_policy_that_lacks_parts(changes: dict[str, Any]) -> None:
    tree = {key: value for key, value in TREE.items() if key not in changes or changes[key] is not None}
    linted(yaml.safe_dump({**tree, **{k: v for k, v in changes.items() if v is not None}}, sort_keys=False), "gdpr")

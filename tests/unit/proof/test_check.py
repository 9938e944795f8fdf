"""A sentence without what it needs is refused at its line, and so is a declaration without a sentence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import get_args

import pytest

from crouter.contract.data import Field
from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.contract.observation import LogField, Metric
from crouter.contract.web import AnalyticsEvent, Cookie, StorageKey
from crouter.policy.codes import CODES
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import SentenceKind
from crouter.policy.rules.claims import placed_claims
from crouter.policy.statements import STATEMENTS, statement_of
from crouter.policy.types import Duration
from crouter.proof.check import is_stale, undeclared, unknown_claims
from crouter.proof.collect import MarkedTest
from crouter.proof.registry import Registry
from tests.unit.proof.conftest import TODAY, Edited

LOGS = "declared_columns, declared_log_fields, declared_metrics, usage_tap"
ANSWERS = "right-deadline: {says: answers, about: requests, enforced_by: [request_register]}"
BY_HAND = "right-deadline: {says: answers, about: requests, manual: {owner: operator, review: 2027-05-23}}"
CASES = [
    pytest.param(
        ("processor-stripe: {says: processor, about: processors.stripe, enforced_by: [egress_guard]}",
         "processor-stripe: {says: processor, about: processors.stripe}"),
        ["PK-01"], "processor-stripe:", id="a promise"),
    pytest.param(
        ("cookie-no-ads: {says: no_advertising, about: never.sale, enforced_by: [content_security_policy]}",
         "cookie-no-ads: {says: no_advertising, about: never.sale}"),
        ["PK-01"], "cookie-no-ads:", id="a negative"),
    pytest.param(
        ("retain-usage: {says: retains, about: retention.usage, enforced_by: [retention_job]}",
         "retain-usage: {says: retains, about: retention.usage}"),
        ["PK-01"], "retain-usage:", id="a deadline"),
    pytest.param(
        ("right-erasure: {says: right, about: rights.erasure, enforced_by: [retention_job, finished_deletion]}",
         "right-erasure: {says: right, about: rights.erasure}"),
        ["PK-01"], "right-erasure:", id="a right"),
    pytest.param(
        (ANSWERS, "right-deadline: {says: answers, about: requests}"),
        ["PK-01"], "right-deadline:", id="a deadline that a person keeps"),
    pytest.param(
        ("retain-usage: {says: retains, about: retention.usage, enforced_by: [retention_job]}",
         "retain-usage: {says: retains, about: retention.usage, enforced_by: [sealed_keys]}"),
        ["PK-02"], "retain-usage:", id="a mechanism that keeps another kind of sentence"),
    pytest.param(
        (ANSWERS, BY_HAND.replace("2027-05-23", "2026-11-30")),
        ["PK-06"], "right-deadline:", id="a review that is overdue"),
    pytest.param(
        ("articles/7996866-how-long-do-you-store-personal-data, as_of: 2026-11-23",
         "articles/7996866-how-long-do-you-store-personal-data, as_of: 2025-11-23"),
        ["PK-07"], "keeps: {for: P30D", id="a vendor's statement that is stale"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "codes", "line"), CASES)
def test_what_is_missing_is_named_at_its_line(
    edited: Edited, registry: Registry, edit: tuple[str, str], codes: list[str], line: str
) -> None:
    checked = edited(edit)
    problems = checked.problems(registry)
    assert [problem.code for problem in problems] == codes
    assert checked.line(problems[0]).startswith(line)


def test_the_real_policy_has_everything(edited: Edited, registry: Registry) -> None:
    assert edited().problems(registry) == ()


def test_log_fields_and_headers_that_no_sentence_accounts_for_are_named_once_for_each_part(
    edited: Edited, registry: Registry
) -> None:
    checked = edited(
        (f"[{LOGS}, no_core_dumps]", "[declared_columns, usage_tap, no_core_dumps]"),
        (
            "[header_filter, edge_worker, declared_columns, declared_log_fields, supabase_auth_step]",
            "[edge_worker, declared_columns]",
        ),
        ("[egress_guard, header_filter]", "[egress_guard]"),
    )
    errors = [problem for problem in checked.problems(registry) if problem.severity == "error"]
    assert {problem.code for problem in errors} == {"PK-03"}
    assert [problem.place.policy_path for problem in errors][:3] == [
        "proxy.drops_request_headers",
        "proxy.drops_response_headers",
        "logging.service",
    ]
    warnings = [problem for problem in checked.problems(registry) if problem.severity == "warning"]
    assert "declared_log_fields, header_filter, declared_metrics" in warnings[0].sentence


def test_a_mechanism_that_lost_its_tests_is_named(edited: Edited, registry: Registry) -> None:
    without = Registry(tuple(test for test in registry.tests if "row_level_security" not in test.by))
    (problem,) = edited().problems(without)
    assert (problem.code, "row_level_security" in problem.sentence) == ("PK-02", True)


def test_a_mark_for_a_sentence_that_is_not_there_is_named(edited: Edited) -> None:
    test = MarkedTest("tests/test_x.py", 7, "test_x", "0" * 64, "exclude-contents", ())
    (problem,) = unknown_claims(edited().plan, (test,))
    assert str(problem).startswith("tests/test_x.py:7:1: PK-08 ")


def _column(deployment: Deployment) -> Deployment:
    usage = deployment.record("usage")
    more = replace(usage, fields=(*usage.fields, Field("ip_address", "text", "x", "data.usage.ip_address")))
    return replace(deployment, records=tuple(more if r.name == "usage" else r for r in deployment.records))


def _table(deployment: Deployment) -> Deployment:
    more = replace(deployment.record("usage"), name="visits", policy_path="data.visits", fields=())
    return replace(deployment, records=(*deployment.records, more))


def _log_field(deployment: Deployment) -> Deployment:
    stream = deployment.logs[0]
    return replace(deployment, logs=(replace(stream, fields=(*stream.fields, LogField("prompt", "word"))),))


def _metric(deployment: Deployment) -> Deployment:
    return replace(deployment, metrics=(*deployment.metrics, Metric("crouter_people_total", "people", ("account",))))


def _host(deployment: Deployment) -> Deployment:
    first, *rest = deployment.processors
    return replace(deployment, processors=(replace(first, hosts=(*first.hosts, "ads.example")), *rest))


def _processor(deployment: Deployment) -> Deployment:
    ads = Processor("ads", "Ads", "processors.ads", "store", ("ads.example",), (), ("account",))
    return replace(deployment, processors=(*deployment.processors, ads))


def _header(deployment: Deployment) -> Deployment:
    return replace(deployment, proxy=replace(deployment.proxy, drops_request_headers=("x-new",)))


def _browser(deployment: Deployment) -> Deployment:
    analytics = deployment.web.analytics
    assert analytics is not None
    web = replace(
        deployment.web,
        cookies=(*deployment.web.cookies, Cookie("tracker", "x", "analytics", None, False, "lax")),
        storage=(StorageKey("trail", "local_storage", "x", "analytics"),),
        analytics=replace(analytics, events=(AnalyticsEvent("scroll", ()),)),
    )
    return replace(deployment, web=web)


def _job(deployment: Deployment) -> Deployment:
    (usage, *rest) = deployment.retention.expire
    return replace(deployment, retention=replace(deployment.retention, expire=(replace(usage, name="secret"), *rest)))


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (_column, ["column `usage.ip_address`"]),
        (_table, ["table `visits`"]),
        (_log_field, ["log field `service.prompt`"]),
        (_metric, ["metric `crouter_people_total`", "metric label `crouter_people_total.account`"]),
        (_host, ["host `ads.example`"]),
        (_processor, ["host `ads.example`"]),
        (_header, ["request header `x-new`"]),
        (_browser, ["cookie `tracker`", "storage key `trail`", "analytics event `scroll`"]),
        (_job, ["job `secret`"]),
    ],
)
def test_what_was_planted_in_a_deployment_is_named(
    edited: Edited, plant: Callable[[Deployment], Deployment], named: list[str]
) -> None:
    plan = edited().plan
    assert undeclared(plan.deployment, plan) == ()
    found = undeclared(plant(plan.deployment), plan)
    assert {problem.code for problem in found} == {"PK-04"}
    for name in named:
        assert any(name in problem.sentence for problem in found)


def test_every_kind_of_sentence_makes_a_statement(edited: Edited) -> None:
    assert STATEMENTS.keys() == set(get_args(SentenceKind))
    policy = edited(("acceptance: continued_use", "acceptance: explicit_consent")).plan.policy
    accepts = next(placed.claim for placed in placed_claims(policy) if placed.name == "change-accept")
    assert statement_of(policy, accepts) == "promise"


def test_every_mechanism_of_the_library_is_proven(registry: Registry) -> None:
    assert {name for test in registry.tests for name in test.by} == MECHANISMS.keys()


def test_every_code_of_this_check_has_a_case_here() -> None:
    with_case = {*(code for case in CASES for code in case.values[1]), "PK-03", "PK-04", "PK-05", "PK-08"}  # type: ignore[union-attr]
    assert with_case == {code for code in CODES if code.startswith("PK-")}


@pytest.mark.parametrize(
    ("as_of", "period", "last_good_day"),
    [
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2026, 11, 23), "P12M", date(2027, 11, 23)),
        (date(2026, 11, 23), "P30D", date(2026, 12, 23)),
    ],
)
def test_a_statement_is_relied_on_for_its_time_and_no_day_longer(as_of: date, period: str, last_good_day: date) -> None:
    assert not is_stale(as_of, Duration.parse(period), last_good_day)
    assert is_stale(as_of, Duration.parse(period), date.fromordinal(last_good_day.toordinal() + 1))


def test_the_day_is_an_argument(edited: Edited, registry: Registry) -> None:
    checked = edited((ANSWERS, BY_HAND))
    codes = [problem.code for problem in checked.problems(registry, date(2030, 1, 1))]
    assert codes.count("PK-06") == 1
    assert codes.count("PK-07") == 5
    assert checked.problems(registry, TODAY) == ()

from dataclasses import fields

from crouter.contract.version import CONTRACT
from crouter.plan.plan import make_plan
from tests.cases.generate.cases import whole_policy


def test_the_deployment_declares_every_part_of_the_policy() -> None:
    policy = whole_policy()
    plan = make_plan(policy)
    deployment = plan.deployment
    assert (deployment.contract, deployment.policy_digest) == (CONTRACT, plan.digest)
    assert [record.name for record in deployment.records] == list(policy.data)
    assert [purpose.name for purpose in deployment.purposes] == list(policy.purposes)
    assert [processor.name for processor in deployment.processors] == list(policy.processors)
    assert [route.name for route in deployment.proxy.routes] == list(policy.proxy.routes)
    assert [stream.name for stream in deployment.logs] == list(policy.logging)
    assert [metric.name for metric in deployment.metrics] == list(policy.metrics)
    # This policy sends no mail; what one that does declares is in test_mail.py.
    parts = [field.name for field in fields(deployment) if field.name not in ("mail", "policy_notice")]
    assert all(getattr(deployment, name) is not None for name in parts)
    assert deployment.mail is None


def test_a_field_is_filled_by_the_kind_of_its_own_source_where_it_has_one() -> None:
    edits = {"data.account.fields.name.source": "crouter"}
    account = make_plan(whole_policy(edits)).deployment.record("account")
    assert account.field("email").source == "identity"
    assert account.field("name").source == "service"


def test_personal_fields_name_their_purposes_and_technical_ones_have_none() -> None:
    for record in make_plan(whole_policy()).deployment.records:
        for field in record.fields:
            assert bool(field.purposes) == field.personal


def test_strict_transport_is_remembered_no_shorter_than_the_policy_says() -> None:
    assert make_plan(whole_policy()).deployment.security.hsts_seconds == 24 * 31 * 86_400

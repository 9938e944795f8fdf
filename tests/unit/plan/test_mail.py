"""Mails as the service is told of them."""

from crouter.contract.mail import MailTemplate, MailValue
from crouter.contract.retention import Period
from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.policy.mails import MAILS
from crouter.policy.model import Policy
from tests.unit.runtime.retention.databases import ROOT


def our_policy() -> Policy:
    policy = load_file(ROOT / "policy.yaml").policy
    assert policy is not None
    return policy


def test_every_mail_is_declared_with_its_purpose_and_its_values() -> None:
    mail = make_plan(our_policy()).deployment.mail
    assert mail is not None
    assert (mail.record, mail.address) == ("account", "email")
    assert [template.name for template in mail.templates] == list(MAILS)
    assert mail.template("key_revoked") == MailTemplate(
        "key_revoked",
        "mail.key_revoked",
        "service_updates",
        (MailValue("last_four", "word"), MailValue("at", "moment")),
    )


def test_a_right_in_a_mail_is_one_of_those_that_the_policy_names() -> None:
    mail = make_plan(our_policy()).deployment.mail
    assert mail is not None
    right, _ = mail.template("request_acknowledged").values
    assert dict(right.choices) == {name: right.label for name, right in our_policy().rights.items()}


def test_the_notice_of_a_version_is_declared_where_it_is_promised_by_mail() -> None:
    policy = our_policy()
    assert make_plan(policy).deployment.policy_notice == Period("P14D", 0, 14, 0)
    for changes in ({"announced_by": "website"}, {"notice": None}):
        changed = policy.policy.model_copy(update={"changes": policy.policy.changes.model_copy(update=changes)})
        assert make_plan(policy.model_copy(update={"policy": changed})).deployment.policy_notice is None

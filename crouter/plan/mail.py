"""The mails of the policy as declarations. Whose address they go to is found by what it is: see `address_of`."""

from crouter.contract.mail import Mail, MailTemplate, MailValue, MailValueKind
from crouter.policy.addresses import address_of
from crouter.policy.model import Policy


def plan_mail(policy: Policy) -> Mail | None:
    """Every kind of mail; None where the policy has none."""
    if not policy.mail:
        return None
    found = address_of(policy)
    assert found is not None, "a policy with mails has an address to send them to"
    record, address = found
    return Mail(
        record=record,
        address=address,
        templates=tuple(
            MailTemplate(
                name=name,
                policy_path=f"mail.{name}",
                purpose=template.purpose,
                values=tuple(_value(policy, value, kind) for value, kind in template.values.items()),
            )
            for name, template in policy.mail.items()
        ),
    )


def _value(policy: Policy, name: str, kind: MailValueKind) -> MailValue:
    rights = tuple((right, setting.label) for right, setting in policy.rights.items())
    return MailValue(name, kind, rights if kind == "right" else ())

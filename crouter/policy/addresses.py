"""Finds the field that mails go to: what a sign-in tells of type `email`, in the category that stands for a person."""

from crouter.policy.model import Policy


def address_of(policy: Policy) -> tuple[str, str] | None:
    """The category and the field, or None where there is none."""
    for name, category in policy.data.items():
        if category.owner is None and category.subject == "customer":
            for field, setting in category.fields.items():
                if setting.type == "email":
                    return name, field
    return None

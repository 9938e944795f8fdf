from crouter.plan.digest import policy_digest
from tests.cases.generate.cases import whole_policy


def test_the_digest_is_64_hexadecimal_digits() -> None:
    assert len(policy_digest(whole_policy())) == 64
    assert int(policy_digest(whole_policy()), 16) >= 0


def test_a_default_that_is_written_down_changes_nothing() -> None:
    written = whole_policy({"data.account.fields.email.required": False})
    assert policy_digest(written) == policy_digest(whole_policy())


def test_any_value_counts() -> None:
    for edits in (
        {"service.description": "an API"},
        {"retention.usage.keep": "P6M"},
        {"data.usage.fields.model.required": True},
        {"sections": [{"title": "Contact", "claims": {"contact": {"says": "contact", "about": "controller.contact"}}}]},
    ):
        assert policy_digest(whole_policy(edits)) != policy_digest(whole_policy())


def test_the_order_of_entries_counts() -> None:
    policy = whole_policy()
    turned = policy.model_copy(update={"purposes": dict(reversed(policy.purposes.items()))})
    assert policy_digest(turned) != policy_digest(policy)

"""`crouter keys` repeats nothing that may be a key."""

from tests.unit.cli.conftest import Command


def test_a_key_given_in_the_place_of_an_id_is_not_repeated(command: Command) -> None:
    outcome = command("keys", "revoke", "sk-cr-0123456789")
    assert outcome.status == 1
    assert "sk-cr" not in outcome.err + outcome.out

"""What the retention process reads from its environment."""

from pathlib import Path

import pytest

from crouter.runtime.environment import SettingsError
from crouter.runtime.retention.settings import read_retention_settings

URL = "postgresql://user:hidden-word@db.example.org/crouter?sslmode=require"


def test_the_address_is_read_from_the_variable_or_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{URL}\n")
    assert read_retention_settings({"DATABASE_URL": URL}).database_url.reveal() == URL
    read = read_retention_settings({"DATABASE_URL_FILE": str(tmp_path / "url")})
    assert read.database_url.reveal() == URL


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "not set"),
        ({"DATABASE_URL": "mysql://hidden-word"}, "postgresql://"),
        ({"DATABASE_URL": "postgresql://hidden-word:port/"}, "postgresql://"),
        ({"DATABASE_URL": URL, "DATABASE_URL_FILE": "x"}, "not both"),
        ({"DATABASE_URL_FILE": "hidden-word"}, "cannot be read"),
        ({"DATABASE_URL": "postgresql://hidden-word@host:6543/x?sslmode=require"}, "transaction pooler"),
        ({"DATABASE_URL": URL, "CROUTER_DATABASE_POOLER": "transaction"}, "transaction pooler"),
    ],
)
def test_a_mistake_is_told_without_the_value(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read_retention_settings(environ)
    assert "hidden-word" not in str(caught.value)


def test_a_session_pooler_on_the_usual_port_may_be_named() -> None:
    url = "postgresql://host:6543/x?sslmode=require"
    environ = {"DATABASE_URL": url, "CROUTER_DATABASE_POOLER": "session"}
    assert read_retention_settings(environ).database_url.reveal() == url

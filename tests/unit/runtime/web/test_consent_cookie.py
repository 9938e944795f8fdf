import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from crouter.runtime.web.consent_cookie import Choice, read_choice

ID = "9b2d4c0a-5f5e-4c1b-8a6e-0d7a3f1c2b11"
REVISION = 1427990260


def cookie(**said: Any) -> str:
    return quote(json.dumps({"categories": ["necessary", "analytics"], "revision": REVISION, "consentId": ID, **said}))


@pytest.mark.claim("cookie-analytics")
def test_cookie_analytics__a_choice_is_read_as_the_dialog_writes_it() -> None:
    assert read_choice(cookie(), REVISION) == Choice(uuid.UUID(ID), True)
    assert read_choice(cookie(categories=["necessary"]), REVISION) == Choice(uuid.UUID(ID), False)


@pytest.mark.claim("cookie-analytics")
@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "analytics",
        "%",
        "%ff",
        "null",
        "[]",
        cookie(revision=REVISION + 1),
        cookie(revision=str(REVISION)),
        cookie(revision=None),
        cookie(consentId="ada@example.org"),
        cookie(consentId=ID.upper()),
        cookie(consentId="9b2d4c0a-5f5e-1c1b-8a6e-0d7a3f1c2b11"),
        cookie(consentId=7),
        cookie(categories="analytics"),
        cookie(categories={"analytics": True}),
        cookie(data="x" * 5000),
        "[" * 4000,
    ],
)
def test_cookie_analytics__what_is_no_answer_to_this_question_is_no_choice(value: str | None) -> None:
    assert read_choice(value, REVISION) is None


def test_true_is_not_the_first_revision() -> None:
    assert read_choice(cookie(revision=True), 1) is None

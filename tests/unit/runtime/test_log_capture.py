import asyncio
import io
import json
import logging
import sys
import threading
import warnings

import pytest

from crouter.runtime.log_capture import captured, loop_exception_handler
from crouter.runtime.logs import Log
from tests.unit.runtime.declarations import SERVICE_LOG

CANARY = "canary-in-a-message"


def told(out: io.StringIO) -> list[tuple[str, str]]:
    assert CANARY not in out.getvalue()
    return [(line["event"], line["error"]) for line in map(json.loads, out.getvalue().splitlines())]


@pytest.mark.claim("exclude-content")
@pytest.mark.parametrize(
    "name", ["aiohttp.server", "aiohttp.web", "asyncio", "psycopg", "psycopg.pool", "anything.new"]
)
def test_exclude_content__a_library_logs_its_name_and_an_exceptions_type_only(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    logger = logging.getLogger(name)
    logger.addHandler(logging.StreamHandler(sys.stderr))
    try:
        with captured(Log(SERVICE_LOG, out, strict=True)):
            logger.warning("%s", CANARY)
            try:
                raise ValueError(CANARY)
            except ValueError:
                logger.exception(CANARY, extra={"canary": CANARY})
    finally:
        logger.handlers.clear()
    assert told(out) == [(f"library:{name}", "none"), (f"library:{name}", "ValueError")]
    assert capfd.readouterr() == ("", "")


def test_uncaught_exceptions_leave_their_type_only(capfd: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()

    def fail() -> None:
        raise KeyError(CANARY)

    with captured(Log(SERVICE_LOG, out, strict=True)):
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        sys.excepthook(RuntimeError, RuntimeError(CANARY), None)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning(CANARY, ResourceWarning, CANARY, 1)
    assert told(out) == [
        ("uncaught_in_thread", "KeyError"),
        ("uncaught", "RuntimeError"),
        ("python_warning", "ResourceWarning"),
    ]
    assert capfd.readouterr() == ("", "")


def test_a_failed_task_leaves_its_type_only() -> None:
    out = io.StringIO()
    loop = asyncio.new_event_loop()
    loop_exception_handler(Log(SERVICE_LOG, out, strict=True))(loop, {"message": CANARY, "exception": OSError(CANARY)})
    loop.close()
    assert told(out) == [("unhandled_in_loop", "OSError")]


def test_everything_is_put_back() -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    handlers = list(logging.getLogger().handlers)
    with captured(Log(SERVICE_LOG, io.StringIO())):
        assert sys.excepthook is not before[0]
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning) == before
    assert logging.getLogger().handlers == handlers

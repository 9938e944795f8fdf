"""Takes every other way out of the process that could carry text: library loggers, hooks, warnings.

aiohttp quotes malformed requests in its log, drivers quote rows, tracebacks quote source and arguments. While
`captured` is in force, all of them become one line in our own log with the logger's name, the
level and the type of the exception. Their message is never formatted.
"""

import asyncio
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

from crouter.runtime.logs import Level, Log
from crouter.runtime.words import kind_of


class _Handler(logging.Handler):
    """Keeps the name, the level and the exception's type of a record, and nothing of its text."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0] if record.exc_info else None
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        self._log.write(level, f"library:{record.name}"[:80], error=kind_of(error) if error else "none")


@contextmanager
def captured(log: Log) -> Iterator[None]:
    """Redirects the whole process's loggers, hooks and warnings to `log` until the block ends."""
    root = logging.getLogger()
    with _only_handler(root, _Handler(log)), _hooks(log):
        yield


def loop_exception_handler(log: Log) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """For `loop.set_exception_handler`: the type of the exception, none of its context."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        log.error("unhandled_in_loop", error=kind_of(context.get("exception")))

    return handle


@contextmanager
def _only_handler(root: logging.Logger, handler: logging.Handler) -> Iterator[None]:
    loggers = [root, *(item for item in root.manager.loggerDict.values() if isinstance(item, logging.Logger))]
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in loggers]
    raises = logging.raiseExceptions
    for logger in loggers:
        logger.handlers, logger.propagate = [], True
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # Otherwise logging prints a failing record, arguments and all, to standard error.
    logging.raiseExceptions = False
    try:
        yield
    finally:
        logging.raiseExceptions = raises
        for logger, handlers, propagate, level in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)


@contextmanager
def _hooks(log: Log) -> Iterator[None]:
    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("uncaught", error=kind_of(kind))

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        log.error("uncaught_in_thread", error=kind_of(args.exc_type))

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        log.error("unraisable", error=kind_of(args.exc_type))

    def warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        log.warning("python_warning", error=kind_of(category))

    before = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, uncaught_in_thread, unraisable
    warnings.showwarning = warning
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = before

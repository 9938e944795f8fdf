"""Whether the data path runs as machine code. Without it the service does the same and takes more processor time."""

from collections.abc import AsyncIterator
from typing import Final

from crouter.runtime.compiled.use import INTERPRETED, fitting, is_forbidden
from crouter.runtime.doctor.check import Check, Finding, Ground


async def _form(ground: Ground) -> AsyncIterator[Finding]:
    if is_forbidden(ground.environ):
        yield Finding("skipped", f"{INTERPRETED} is set: the service runs its sources")
    elif fitting() is not None:
        yield Finding("ok", "the data path is compiled, from the very sources that are here")
    else:
        found = "the data path is not compiled: each request takes about twice the processor time"
        yield Finding("warning", found, "run `crouter compile` in this environment, then start the service anew")


CHECKS: Final = (Check("compiled", "whether the data path is compiled", _form),)
"""Looks at the environment that the doctor runs in, which has to be the service's."""

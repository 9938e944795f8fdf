"""In development mails are files in a folder, one each, for their owner only. Nothing leaves the machine."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from crouter.runtime.mail.smtp import Carrier, Result


@asynccontextmanager
async def folder_carrier(folder: Path) -> AsyncIterator[Carrier]:
    """Writes each message into `folder`, under its Message-ID: a repeat replaces the one before."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    yield _Folder(folder)


@dataclass(frozen=True, slots=True)
class _Folder:
    folder: Path

    async def carry(self, sender: str, recipient: str, message: bytes) -> Result:
        name = message_from_bytes(message)["Message-ID"].strip("<>").partition("@")[0]
        await asyncio.to_thread(_write, self.folder / f"{name}.eml", message)
        return Result("sent")


def _write(path: Path, message: bytes) -> None:
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(message)
    unfinished.replace(path)

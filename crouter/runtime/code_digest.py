"""Names the code that runs: the library's files and the generated ones, to the byte.

What was compiled from them does not count, nor do tests: their digests are in the registry of proofs, which is part of
the library.
"""

import hashlib
from pathlib import Path
from typing import Final

_LIBRARY: Final = Path(__file__).parents[1]
_COMPILED: Final = "__pycache__"


def code_digest(generated: Path, library: Path = _LIBRARY) -> str:
    """The SHA-256 over path and content of every file, 64 hexadecimal digits. Raises OSError."""
    whole = hashlib.sha256()
    for name, folder in (("crouter", library), ("generated", generated)):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and _COMPILED not in inside.parts:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                whole.update(f"{name}/{inside.as_posix()}\0{content}\n".encode())
    return whole.hexdigest()

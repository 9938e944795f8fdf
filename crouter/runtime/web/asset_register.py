"""The files that pages load: style sheets and scripts of our own, and what npm installed beside the service.

Each is known by its name, and by an address that holds a digest of all of them: such an address never changes what it
gives, and may be kept for ever. Modules that load one another by a relative address stay within one digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OWN: Final = Path(__file__).parent / "assets"
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
# Where npm puts them, below the folder that `generated` lies in. A page works without each of them.
INSTALLED: Final = {
    "pico.min.css": Path("node_modules", "@picocss", "pico", "css", "pico.min.css"),
    "uplot.min.css": Path("node_modules", "uplot", "dist", "uPlot.min.css"),
    "uplot.min.js": Path("node_modules", "uplot", "dist", "uPlot.iife.min.js"),
    "cookieconsent.css": Path("node_modules", "vanilla-cookieconsent", "dist", "cookieconsent.css"),
    "cookieconsent.esm.js": Path("node_modules", "vanilla-cookieconsent", "dist", "cookieconsent.esm.js"),
    "openpanel-web.js": Path("node_modules", "@openpanel", "web", "dist", "index.js"),
    "openpanel-sdk.js": Path("node_modules", "@openpanel", "sdk", "dist", "index.js"),
}
# Modules that load another by the name of its package, which a browser cannot look up, and where that is.
LOADED_BY_NAME: Final = ((b'"@openpanel/sdk"', b'"./openpanel-sdk.js"'),)
FOLDER: Final = "/assets"
ICON: Final = "crouter.svg"
ICON_PATH: Final = "/favicon.ico"
"""Where browsers look for an icon that no page names."""
DIGEST_CHARS: Final = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    media_type: str
    body: bytes

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class AssetRegister:
    """All files that pages may load, read once."""

    def __init__(self, generated: Path) -> None:
        """What is not installed is left out."""
        root = generated.absolute().parent
        files = {file.name: file for file in OWN.iterdir()} | {name: root / path for name, path in INSTALLED.items()}
        self._assets: Mapping[str, Asset] = {
            name: Asset(MEDIA_TYPES[file.suffix], _addressed(file.read_bytes()))
            for name, file in sorted(files.items())
            if file.suffix in MEDIA_TYPES and file.is_file()
        }
        told = "".join(f"{name} {asset.etag}\n" for name, asset in self._assets.items())
        self.digest = hashlib.sha256(told.encode()).hexdigest()[:DIGEST_CHARS]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._assets)

    def find(self, name: str) -> Asset | None:
        """The file of that name."""
        return self._assets.get(name)

    def address(self, name: str) -> str:
        """Where a page loads it from. Raises KeyError for a file of our own that does not exist."""
        if name not in self._assets and name not in INSTALLED:
            raise KeyError(name)
        return f"{FOLDER}/{self.digest}/{name}"


def _addressed(body: bytes) -> bytes:
    for name, address in LOADED_BY_NAME:
        body = body.replace(b"from" + name, b"from" + address)
    return body

"""What the lock files promise: safe versions, a digest for everything, no address."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.rules.source import Finding

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")
_DIGEST = "--hash=sha256:"


def pins(lock: Path) -> list[tuple[int, str, Version]]:
    """Line, normalised name and version of every pin; a name may be pinned once per platform."""
    found = []
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        if match := _PIN.match(line):
            name = canonicalize_name(match["name"])
            found.append((number, str(name), Version(match["version"])))
    return found


def unsafe_pins(minimum_safe: Path, lock: Path) -> Iterator[Finding]:
    floors = {}
    for line in minimum_safe.read_text(encoding="utf-8").splitlines():
        text, _, reason = line.partition("#")
        if text.strip():
            requirement = Requirement(text.strip())
            assert reason.strip(), f"{requirement.name}: say why"
            floors[str(canonicalize_name(requirement.name))] = requirement.specifier
    for number, name, version in pins(lock):
        if name in floors and version not in floors[name]:
            yield Finding(lock.name, number, f"{name} {version} is not {floors[name]}")


def unpinned(lock: Path) -> Iterator[Finding]:
    """Lines of a lock that are neither a pin followed by digests, nor a comment."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        if not _PIN.match(line) or _DIGEST not in line:
            yield Finding(lock.name, number, "a requirement without version or digest")
        if "://" in line:
            yield Finding(lock.name, number, "an address")


def loose_packages(lock: Path) -> Iterator[Finding]:
    """Entries of an npm lock file without a digest, or with the address they came from."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        if not name:
            continue
        if "integrity" not in package:
            yield Finding(lock.name, 1, f"{name} has no digest")
        if "resolved" in package:
            yield Finding(lock.name, 1, f"{name} carries an address")

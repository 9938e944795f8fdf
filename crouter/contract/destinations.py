"""Declares where data may go: processors and the hosts that are theirs."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Processor:
    """A party that receives data. `receives` names categories, `category.field`, `content` or `analytics`."""

    name: str
    label: str
    policy_path: str
    mode: Literal["store", "transit"]
    hosts: tuple[str, ...]
    purposes: tuple[str, ...]
    receives: tuple[str, ...]

    @property
    def receives_content(self) -> bool:
        """Whether what API requests and answers say may be sent to it."""
        return "content" in self.receives

    def owns(self, host: str) -> bool:
        """Whether `host` (lower case, no port) is one of its declared hosts."""
        return any(
            host == declared or (declared.startswith("*.") and host.endswith(declared[1:])) for declared in self.hosts
        )

"""Values that are never shown: they have no repr, no text form and no serialised form."""

from typing import Generic, NoReturn, TypeVar

Hidden = TypeVar("Hidden", str, bytes)


class Secret(Generic[Hidden]):
    """A value that only `reveal()` gives. Printing, formatting and pickling it are harmless or refused."""

    __slots__ = ("_value",)

    def __init__(self, value: Hidden) -> None:
        self._value: Hidden = value

    def reveal(self) -> Hidden:
        """The value itself, for the one place that uses it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")

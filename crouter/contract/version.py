"""The number of the contract between generated declarations and the runtime."""

CONTRACT = 1


class ContractMismatchError(Exception):
    """Generated code was made for another contract number than this library's."""


def require_contract(number: int) -> None:
    """Refuse declarations of another contract. Raises ContractMismatchError with what to do."""
    if number != CONTRACT:
        raise ContractMismatchError(
            f"generated/ was made for contract {number}, this crouter speaks contract {CONTRACT}: "
            "run `crouter generate` with this version of crouter"
        )

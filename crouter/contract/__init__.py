"""What generated code can declare and the runtime can carry out. Standard library only, and no mechanism.

The contract has a number. Generated code names the number it was made for; a runtime of another number refuses it.
"""

from crouter.contract.version import CONTRACT, ContractMismatchError, require_contract

__all__ = ["CONTRACT", "ContractMismatchError", "require_contract"]

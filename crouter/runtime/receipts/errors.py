"""The one error of receipts."""


class ReceiptRefusedError(Exception):
    """A receipt, or a set of keys, is not what it has to be. The message says why and quotes nothing of it."""

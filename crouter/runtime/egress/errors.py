"""What callers are told when a request could not go out, or its answer did not come. Nothing of either is quoted."""


class EgressRefusedError(Exception):
    """A connection to a host that is not declared for the processor, of content to one that may not have it, or a
    request whose head would not be read as what it is."""


class UpstreamError(Exception):
    """The other side could not be reached, broke off, or did not speak HTTP.

    `nothing_sent` says that not one byte of the request was handed to a connection, so that it cannot have been
    processed. Whatever it is otherwise, the request may have been.
    """

    def __init__(self, *, nothing_sent: bool = False) -> None:
        super().__init__()
        self.nothing_sent = nothing_sent


class AnswerTooLargeError(UpstreamError):
    """An answer that should be small does not end."""


class UpstreamTimeoutError(UpstreamError):
    """The other side was silent, or took nothing, for too long."""

"""The only place that opens outgoing HTTP connections, so that one place decides where data may go.

Every channel belongs to one declared processor and reaches that processor's declared hosts only. Content has a channel
of its own, which a processor that does not receive content cannot have. Mails go to the operator's mail server, which
`mail_host.py` judges. The database's driver is the one other way out.
"""

from crouter.runtime.egress.answer import Answer
from crouter.runtime.egress.channel import ContentChannel
from crouter.runtime.egress.drop_patterns import drop_patterns
from crouter.runtime.egress.errors import EgressRefusedError, UpstreamError, UpstreamTimeoutError
from crouter.runtime.egress.exchange import Receiver, UpstreamExchange
from crouter.runtime.egress.guard import Egress, open_data
from crouter.runtime.egress.request_head import HeaderLines, Headers

__all__ = [
    "Answer",
    "ContentChannel",
    "Egress",
    "EgressRefusedError",
    "HeaderLines",
    "Headers",
    "Receiver",
    "UpstreamError",
    "UpstreamExchange",
    "UpstreamTimeoutError",
    "drop_patterns",
    "open_data",
]

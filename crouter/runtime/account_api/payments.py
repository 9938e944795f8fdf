"""Operations about payments: what was paid in and paid back. Paying itself is a page, because it ends at Stripe."""

import uuid

from crouter.runtime.account_api import examples
from crouter.runtime.account_api.operation import PREFIX, Call, Operation
from crouter.runtime.account_api.shapes import Moment, Nanodollars, Nothing, Shape

SHOWN_MAX = 100


class PaymentAnswer(Shape, frozen=True):
    """One top-up. `refunded_nanousd` is how much of it was asked back."""

    id: uuid.UUID
    cause: str
    state: str
    amount_nanousd: Nanodollars
    refunded_nanousd: Nanodollars
    created_at: Moment


class RefundAnswer(Shape, frozen=True):
    """One refund of unused credit. `paid_nanousd` is what is paid back, less the processor's fee."""

    id: uuid.UUID
    payment: uuid.UUID
    state: str
    amount_nanousd: Nanodollars
    paid_nanousd: Nanodollars
    created_at: Moment


class PaymentsAnswer(Shape, frozen=True):
    """The newest of each, newest first; both empty where nothing can be paid."""

    payments: list[PaymentAnswer]
    refunds: list[RefundAnswer]


async def _payments(call: Call[Nothing, Nothing]) -> PaymentsAnswer:
    payments = call.stores.parts.payments
    if payments is None:
        return PaymentsAnswer(payments=[], refunds=[])
    return PaymentsAnswer(
        payments=[
            PaymentAnswer(
                id=payment.id,
                cause=payment.cause,
                state=payment.state,
                amount_nanousd=payment.amount_nanousd,
                refunded_nanousd=payment.refunded_nanousd,
                created_at=payment.created_at,
            )
            for payment in await payments.records.of_account(call.account, SHOWN_MAX)
        ],
        refunds=[
            RefundAnswer(
                id=refund.id,
                payment=refund.payment,
                state=refund.state,
                amount_nanousd=refund.amount_nanousd,
                paid_nanousd=refund.paid_nanousd,
                created_at=refund.created_at,
            )
            for refund in await payments.records.refunds_of(call.account, SHOWN_MAX)
        ],
    )


OPERATIONS = (
    Operation(
        name="account_payments",
        method="GET",
        path=f"{PREFIX}/payments",
        summary="What you paid, and what was paid back",
        answer=PaymentsAnswer,
        example=PaymentsAnswer(
            payments=[
                PaymentAnswer(
                    id=examples.ENTRY,
                    cause="checkout",
                    state="paid",
                    amount_nanousd=25_000_000_000,
                    refunded_nanousd=0,
                    created_at=examples.MOMENT,
                )
            ],
            refunds=[],
        ),
        handler=_payments,
    ),
)

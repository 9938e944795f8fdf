"""Payments: topping up with Stripe Checkout, by hand or automatically, refunds, disputes. Cards are never seen here."""

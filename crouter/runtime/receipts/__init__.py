"""Signed receipts: what one request used and cost, for its customer to keep and to verify without us."""

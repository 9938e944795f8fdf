"""The pages about money, and the address to which Stripe sends its messages."""

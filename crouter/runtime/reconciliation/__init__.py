"""Reconciliation: what our books say of a day, beside what the upstream and the payment processor say of it.

Every difference is nothing, or has causes that add up to it, or is an alarm. Figures are sums; nobody is named.
"""
